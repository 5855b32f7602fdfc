"""Image Builder, Service Catalog and SES, with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict


def test_documents_of_image_builder(canned: Any, collect: Any) -> None:
    prefix = f"arn:aws:imagebuilder:us-east-1:{MOTO_ACCOUNT}:"
    listed, built = prefix + "component/c/1.0.0", prefix + "component/c/1.0.0/1"
    recipe = prefix + "container-recipe/r/1.0.0"
    component = {"arn": built, "name": "c", "data": "phases: []", "tags": {"Owner": "me"}, "obfuscate": False}
    account = canned({
        "imagebuilder:ListComponents": {"componentVersionList": [{"arn": listed, "name": "c"}]},
        "imagebuilder:GetComponent": {"component": component},
        "imagebuilder:ListContainerRecipes": {"containerRecipeSummaryList": [{"arn": recipe, "name": "r"}]},
        "imagebuilder:GetContainerRecipe": {"containerRecipe": {
            "arn": recipe, "dockerfileTemplateData": "ENV AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY"}},
    })  # fmt: skip
    type = "AWS::ImageBuilder::Component"
    (found,) = collect(account, type)
    assert (found.id, found.arn, found.tags) == (built, built, {"Owner": "me"})
    assert found.properties["Data"] == "phases: []"
    assert verdict("image-definition-without-secrets", found) == "PASS"
    assert verdict("image-component-customer-managed-key", found) == "FAIL"
    account.answers["imagebuilder:GetComponent"] = {"component": {**component, "data": "", "obfuscate": True}}
    assert verdict("image-definition-without-secrets", collect(account, type)[0]) == "UNKNOWN"
    (container,) = collect(account, "AWS::ImageBuilder::ContainerRecipe")
    assert (container.id, container.properties["Name"]) == (recipe, "r")
    assert verdict("image-definition-without-secrets", container) == "FAIL"


def test_portfolios_and_whom_they_are_shared_with(canned: Any, collect: Any) -> None:
    def access(arguments: Any) -> Any:
        if "PageToken" in arguments:
            return {"AccountIds": ["444455556666"]}
        return {"AccountIds": ["111122223333"], "NextPageToken": "next"}

    account = canned({
        "servicecatalog:ListPortfolios": {"PortfolioDetails": [
            {"Id": "port-1", "ARN": f"arn:aws:catalog:us-east-1:{MOTO_ACCOUNT}:portfolio/port-1", "DisplayName": "p"}]},
        "servicecatalog:ListPortfolioAccess": access,
        "servicecatalog:DescribePortfolio": {"Tags": [{"Key": "Owner", "Value": "me"}]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::ServiceCatalog::Portfolio")
    assert found.tags == {"Owner": "me"}
    assert found.properties["SharedAccountIds"] == ["111122223333", "444455556666"]
    account.answers["servicecatalog:ListPortfolioAccess"] = {}
    (found,) = collect(account, "AWS::ServiceCatalog::Portfolio")
    assert found.properties["SharedAccountIds"] == []
    assert verdict("portfolio-inside-organization", found) == "PASS"


def test_policies_of_mail_identities(canned: Any, collect: Any) -> None:
    public = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ses:SendEmail", "Resource": "*"}],
    }
    described = {
        "open.example": {"Policies": {"p": json.dumps(public)}, "ConfigurationSetName": "c",
                         "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
                         "Tags": [{"Key": "Owner", "Value": "me"}]},
        "plain.example": {"Policies": {}, "FeedbackForwardingStatus": False},
    }  # fmt: skip
    account = canned({
        "sesv2:ListEmailIdentities": {"EmailIdentities": [{"IdentityName": name} for name in described]},
        "sesv2:GetEmailIdentity": lambda arguments: described[arguments["EmailIdentity"]],
    })  # fmt: skip
    open_, plain = collect(account, "AWS::SES::EmailIdentity")
    p = open_.properties
    assert (open_.id, p["EmailIdentity"], open_.tags) == ("open.example", "open.example", {"Owner": "me"})
    assert p["Policies"] == [{"PolicyName": "p", "Policy": public}]
    assert p["ConfigurationSetAttributes"] == {"ConfigurationSetName": "c"}
    assert p["DkimAttributes"] == {"SigningEnabled": True}
    assert plain.properties["FeedbackAttributes"] == {"EmailForwardingEnabled": False}
    assert "ConfigurationSetAttributes" not in plain.properties
    assert [verdict("ses-identity-policy-not-public", r) for r in (open_, plain)] == ["FAIL", "PASS"]
    account.answers["sesv2:GetEmailIdentity"] = failure("sesv2:GetEmailIdentity", "AccessDeniedException")
    denied = collect(account, "AWS::SES::EmailIdentity")[0]
    assert verdict("ses-identity-policy-not-public", denied) == "UNKNOWN"
