"""Image Builder, Service Catalog and SES."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_OBFUSCATED: Final = Unresolved("not_collected", "the document is obfuscated")


def _component(result: Json, _item: Json) -> Json:
    return {**result, "data": _OBFUSCATED} if result.get("obfuscate") else result


def _identity(result: Json, item: Json) -> Json:
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentity.html"""
    name = result.get("ConfigurationSetName")
    forwarding = result.get("FeedbackForwardingStatus")
    return {
        "EmailIdentity": item["IdentityName"],
        "ConfigurationSetAttributes": {"ConfigurationSetName": name} if name else None,
        "DkimAttributes": result.get("DkimAttributes"),
        "FeedbackAttributes": None if forwarding is None else {"EmailForwardingEnabled": forwarding},
        "MailFromAttributes": result.get("MailFromAttributes"),
        "Policies": [
            {"PolicyName": policy, "Policy": document}
            for policy, document in sorted((result.get("Policies") or {}).items())
        ],
        "Tags": result.get("Tags"),
    }


def _accounts(context: Context, item: Json) -> Json:
    """The accounts a portfolio is shared with one by one; shares with units are within the organisation."""
    found: list[str] = []
    arguments = {"PortfolioId": item["Id"]}
    while True:
        answer = context.call("servicecatalog", "ListPortfolioAccess", arguments)
        found += answer.get("AccountIds") or ()
        token = answer.get("NextPageToken")
        if not token or token == arguments.get("PageToken"):
            return {"AccountIds": found}
        arguments = {"PortfolioId": item["Id"], "PageToken": token}


COLLECTORS = (
    Collector(
        "AWS::ImageBuilder::Component",
        "imagebuilder",
        Step("ListComponents", "componentVersionList", {"owner": "Self"}),
        describe=Step("GetComponent", "component", {"componentBuildVersionArn": "{arn}"}, shape=_component),
        id="{arn}",
        arn="{arn}",
        tags="tags",
    ),
    Collector(
        "AWS::ImageBuilder::ContainerRecipe",
        "imagebuilder",
        Step("ListContainerRecipes", "containerRecipeSummaryList", {"owner": "Self"}),
        id="{arn}",
        arn="{arn}",
        tags="tags",
        details=(
            Step(
                "GetContainerRecipe",
                "containerRecipe",
                {"containerRecipeArn": "{arn}"},
                rename={"arn": "", "name": "", "tags": ""},
            ),
        ),
    ),
    Collector(
        "AWS::ServiceCatalog::Portfolio",
        "servicecatalog",
        Step("ListPortfolios", "PortfolioDetails"),
        id="{Id}",
        arn="{ARN}",
        tags="",
        details=(
            Step(
                "ListPortfolioAccess",
                "AccountIds",
                {"PortfolioId": "{Id}"},
                into="SharedAccountIds",
                gone=("ResourceNotFoundException",),
                ask=_accounts,
            ),
            Step(
                "DescribePortfolio",
                "Tags",
                {"Id": "{Id}"},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
            ),
        ),
    ),
    Collector(
        "AWS::SES::EmailIdentity",
        "sesv2",
        Step("ListEmailIdentities", "EmailIdentities", rename={"IdentityName": "EmailIdentity"}),
        describe=Step(
            "GetEmailIdentity",
            "",
            {"EmailIdentity": "{IdentityName}"},
            gone=("NotFoundException",),
            shape=_identity,
            gives=("ConfigurationSetAttributes", "FeedbackAttributes"),
        ),
        id="{IdentityName}",
        arn="arn:{partition}:ses:{region}:{account}:identity/{IdentityName}",
    ),
)
