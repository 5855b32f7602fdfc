"""Parts of a resource that the mapping language cannot say: named by ``Merge.code``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from policyengine.catalog.terraform.language import parse
from policyengine.model.values import OpenList, Unresolved
from policyengine.sources.terraform.draft import Draft
from policyengine.sources.terraform.mapper import Mapper, settle

_TARGET = """
    arn target_id=Id role_arn input input_path dead_letter_config { arn }
    retry_policy { maximum_event_age_in_seconds maximum_retry_attempts }
    ecs_target=EcsParameters { task_definition_arn task_count launch_type platform_version
        network_configuration=NetworkConfiguration.AwsVpcConfiguration {
            subnets* security_groups* assign_public_ip:upenabled } }
    kinesis_target=KinesisParameters { partition_key_path }
    sqs_target=SqsParameters { message_group_id }
    input_transformer { input_template input_paths=InputPathsMap }
    http_target=HttpParameters { header_parameters path_parameter_values* query_string_parameters }
"""


def event_target(part: Draft) -> dict[str, Any]:
    """One ``aws_cloudwatch_event_target`` is one element of the rule's targets."""
    return {"Targets": [Mapper().map(parse(_TARGET), part.tree)]}


_METHOD = """
    settings.cache_data_encrypted=CacheDataEncrypted settings.cache_ttl_in_seconds=CacheTtlInSeconds
    settings.caching_enabled=CachingEnabled settings.data_trace_enabled=DataTraceEnabled
    settings.logging_level=LoggingLevel settings.metrics_enabled=MetricsEnabled
    settings.throttling_burst_limit=ThrottlingBurstLimit settings.throttling_rate_limit=ThrottlingRateLimit
"""


def method_settings(part: Draft) -> dict[str, Any]:
    """``method_path`` is ``{resource}/{METHOD}``; ``*/*`` is every method of every resource."""
    found = Mapper().map(parse(_METHOD), part.tree)
    path = settle(part.tree.get("method_path"))
    if isinstance(path, str):
        resource, _, method = path.rpartition("/")
        found |= {"HttpMethod": method, "ResourcePath": "/" + resource.lstrip("/")}
    elif isinstance(path, Unresolved):
        found |= {"HttpMethod": path, "ResourcePath": path}
    return {"MethodSettings": [found]}


_WEBHOOK = """
    branch_filter=Triggers.BranchFilter build_type=Triggers.BuildType
    pull_request_build_policy=Triggers.PullRequestBuildPolicy { requires_comment_approval approver_roles* }
    scope_configuration=Triggers.ScopeConfiguration { domain name scope }
    filter_group*=FilterGroups { filter*=Filters { type pattern exclude_matched_pattern } }
"""


def codebuild_webhook(part: Draft) -> dict[str, Any]:
    """A filter group is a list of filters in AWS, a block with blocks in Terraform."""
    found = Mapper().map(parse(_WEBHOOK), part.tree)
    groups = found.pop("FilterGroups", None)
    triggers = found.setdefault("Triggers", {})
    if isinstance(groups, Unresolved):
        triggers["FilterGroups"] = groups
    elif groups is not None:
        filters = [g.get("Filters", []) if isinstance(g, dict) else g for g in groups]
        more = getattr(groups, "more", None)
        triggers["FilterGroups"] = filters if more is None else OpenList(filters, more)
    return found


def approval_rule_template_association(part: Draft) -> dict[str, Any]:
    """One association is one more repository the template holds for."""
    return {"RepositoryNames": [settle(part.tree.get("repository_name"))]}


_CREDENTIAL = "service_name status credential_age_days"


def service_specific_credential(part: Draft) -> dict[str, Any]:
    """One credential is one element of the user's list; its dates are known once it exists."""
    return {"ServiceSpecificCredentials": [Mapper().map(parse(_CREDENTIAL), part.tree)]}


def login_profile(part: Draft) -> dict[str, Any]:
    """A login profile is a password, whatever else is known of it: the provider makes one."""
    profile = Mapper().map(parse("password_reset_required"), part.tree)
    return {"LoginProfile": {"Password": Unresolved("known_after_apply", present=True), **profile}}


PARTS: Final[Mapping[str, Callable[[Draft], dict[str, Any]]]] = {
    "approval_rule_template_association": approval_rule_template_association,
    "codebuild_webhook": codebuild_webhook,
    "service_specific_credential": service_specific_credential,
    "event_target": event_target,
    "login_profile": login_profile,
    "method_settings": method_settings,
}
"""What ``Merge.code`` may name."""
