"""What Terraform says about Bedrock in ways of its own: keys as parts of users, definitions of flows."""

from __future__ import annotations

from pathlib import Path

from .plans import read, shown


def test_a_long_term_api_key_is_part_of_its_user(tmp_path: Path) -> None:
    plan = {
        "aws_iam_user.dev": {"after": {"name": "dev"}},
        "aws_iam_service_specific_credential.key": {
            "after": {"service_name": "bedrock.amazonaws.com", "user_name": "dev", "credential_age_days": 30}
        },
    }
    user = read(plan, tmp_path)["aws_iam_user.dev"]
    assert shown(user.properties["ServiceSpecificCredentials"]) == [
        {"ServiceName": "bedrock.amazonaws.com", "CredentialAgeDays": 30}
    ]


def test_the_nodes_of_a_flow_say_which_models_they_call(tmp_path: Path) -> None:
    inline = {"inline": [{"model_id": "amazon.nova-pro-v1:0", "template_type": "TEXT"}]}
    node = {
        "name": "p",
        "type": "Prompt",
        "configuration": [{"prompt": [{"source_configuration": [inline]}]}],
    }
    flow = {
        "name": "f",
        "execution_role_arn": "arn:aws:iam::111122223333:role/f",
        "definition": [{"node": [node]}],
    }
    found = read({"aws_bedrockagent_flow.f": {"after": flow}}, tmp_path)["aws_bedrockagent_flow.f"]
    (only,) = found.properties["Definition"]["Nodes"]
    assert (
        only["Configuration"]["Prompt"]["SourceConfiguration"]["Inline"]["ModelId"] == "amazon.nova-pro-v1:0"
    )
