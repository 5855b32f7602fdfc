"""What a delivery pipeline is made of: the things that the duties around it are about, and its roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from policyengine.iam.account_ids import account_of
from policyengine.iam.documents import Policy
from policyengine.iam.opaque import Opaque
from policyengine.iam.unknowns import unknown_policy
from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.reader import Reader, merged
from policyengine.rules.iam.standins import ACCOUNT, REGION, filled, own_arn, own_name
from policyengine.rules.iam.tables import spots
from policyengine.rules.iam.values import account_id, partition

PIPELINE: Final = "AWS::CodePipeline::Pipeline"
PROJECT: Final = "AWS::CodeBuild::Project"
REPOSITORY: Final = "AWS::ECR::Repository"
BUCKET: Final = "AWS::S3::Bucket"
ROLE: Final = "AWS::IAM::Role"
BESIDE: Final = (PROJECT, BUCKET, REPOSITORY, "AWS::CodeCommit::Repository", PIPELINE)
"""Types that are looked at for what a pipeline names."""
_FOLDER: Final = 20
"""Artifacts stand in a folder that is called like the pipeline, of which a long name is cut:
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts.html"""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a word of a duty stands for: an ARN or a pattern of ARNs (``likely``: one of them), its own
    policy, keys that every request about it has, its tags (None: not known)."""

    word: str
    arn: str | Opaque
    likely: str | None = None
    own: Policy | None = None
    context: tuple[tuple[str, str], ...] = ()
    tags: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RoleUse:
    """A role something runs with; ``use``: ``pipeline``, ``action``, ``build`` or ``deploy``."""

    use: str
    arn: str | Opaque
    path: Path = ()


@dataclass(slots=True)
class Delivery:
    """``blind``: word of a duty → what about it this source cannot show. ``runs``: services whose roles are of
    the delivery, where the resource does not name them."""

    arn: str
    account: str
    region: str
    things: list[Thing] = field(default_factory=list)
    roles: list[RoleUse] = field(default_factory=list)
    blind: dict[str, str] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    looked: list[Resource | None] = field(default_factory=list)
    """What was looked for beside a live resource, in order, None where it is not there: all it depends on."""

    def of(self, word: str) -> Iterator[Thing]:
        """Yield what a word stands for."""
        return (thing for thing in self.things if thing.word == word)

    def add(self, word: str, arn: str) -> None:
        """Add something that a word stands for, once."""
        if all(thing.arn != arn for thing in self.of(word)):
            self.things.append(Thing(word, arn))

    def role_arns(self) -> frozenset[str]:
        """Return the roles that are known by their ARNs."""
        return frozenset(role.arn for role in self.roles if isinstance(role.arn, str))


class _Form(NamedTuple):
    """What a deploy action changes: a word, its ARN and the configuration it is made of."""

    word: str
    arn: str
    likely: str | None = None


_DEPLOYS: Final[Mapping[str, _Form]] = {
    "CloudFormation": _Form("stack", "cloudformation:{r}:{a}:stack/{StackName}/*", "cloudformation:{r}:{a}:stack/{StackName}/id"),
    "CodeDeploy": _Form("deployment group", "codedeploy:{r}:{a}:deploymentgroup:{ApplicationName}/{DeploymentGroupName}"),
    "CodeDeployToECS": _Form("deployment group", "codedeploy:{r}:{a}:deploymentgroup:{ApplicationName}/{DeploymentGroupName}"),
    "ECS": _Form("service", "ecs:{r}:{a}:service/{ClusterName}/{ServiceName}"),
    "Lambda": _Form("function", "lambda:{r}:{a}:function:{FunctionName}"),
    "ElasticBeanstalk": _Form("environment", "elasticbeanstalk:{r}:{a}:environment/{ApplicationName}/{EnvironmentName}"),
}  # fmt: skip
"""https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html"""

Look = Callable[[str], Sequence[Resource]]


def read_delivery(resource: Resource, look: Look, reader: Reader) -> Delivery:
    """Return what a pipeline, build project or image repository is made of; ``look``: the resources beside it."""
    return _Reading(resource, look, reader).read()


class _Reading:
    def __init__(self, resource: Resource, look: Look, reader: Reader) -> None:
        self._resource = resource
        self._look = look
        self._reader = reader
        self._beside = {r.id: r for type_ in (*BESIDE, ROLE) for r in look(type_)} if resource.file else {}
        self._found = Delivery(
            own_arn(resource) or "", account_id(resource) or ACCOUNT, resource.region or REGION
        )
        tags = resource.tags
        self._tags = None if tags is None or isinstance(tags, Unresolved | OpenDict) else tags

    def read(self) -> Delivery:
        own, found = self._resource, self._found
        if own.type == PROJECT:
            self._project_of(own)
        elif own.type == REPOSITORY:
            found.things.append(Thing("image", found.arn, own=self._own(own), tags=self._tags))
        else:
            self._pipeline()
        self._creating()
        return found

    def _pipeline(self) -> None:
        found, properties = self._found, self._resource.properties
        found.things.append(Thing("pipeline", found.arn, tags=self._tags))
        self._role("pipeline", properties.get("RoleArn"), ("RoleArn",))
        stores = [_get(entry, "ArtifactStore") for entry in _items(properties.get("ArtifactStores"))]
        for store in (properties.get("ArtifactStore"), *stores):
            if store is not None:
                self._artifacts(_get(store, "Location"))
        for at, stage in enumerate(_items(properties.get("Stages"))):
            name = self._text(_get(stage, "Name"))
            arn = name if isinstance(name, Opaque) else f"{found.arn}/{name}"
            found.things.append(Thing("stage", arn, tags=self._tags))
            for inner, action in enumerate(_items(_get(stage, "Actions"))):
                self._action(arn, action, ("Stages", at, "Actions", inner))

    def _creating(self) -> None:
        """Add what somebody who creates something new would make, and the roles that would be passed to it."""
        found = self._found
        here = f"arn:{partition(self._resource)}:{{}}:{found.region}:{found.account}:"
        for word, service, tail in (
            ("new pipeline", "codepipeline", ""),
            ("new project", "codebuild", "project/"),
            ("sandbox", "codebuild", "sandbox/"),
        ):
            head = here.format(service) + tail
            found.things.append(Thing(word, f"{head}*", f"{head}new"))
        roles = f"arn:{partition(self._resource)}:iam::{found.account}:role/"
        found.things.append(Thing("any role", f"{roles}*", f"{roles}example"))
        found.things.append(Thing("approval rules", "*"))
        for role in found.roles:
            if not isinstance(role.arn, str) or account_of(role.arn) == found.account:
                found.things.append(Thing("role", role.arn))
                if role.use in ("pipeline", "build"):
                    found.things.append(Thing(f"{role.use} role", role.arn))

    # -- actions ------------------------------------------------------------------------------------------

    def _action(self, stage: str | Opaque, action: Any, path: Path) -> None:
        if isinstance(action, Unresolved):
            self._unknown(f"an action is not known: {action.describe()}", ("action", "build", "deploy"), path)
            return
        kind = _get(action, "ActionTypeId")
        category, provider = _get(kind, "Category"), _get(kind, "Provider")
        self._role("action", _get(action, "RoleArn"), (*path, "RoleArn"))
        if isinstance(category, Unresolved) or isinstance(provider, Unresolved):
            self._unknown("the kind of an action is not known", ("build", "deploy"), path)
        elif category == "Source":
            self._source(action, provider)
        elif category == "Approval":
            name = self._text(_get(action, "Name"))
            arn = next((part for part in (stage, name) if isinstance(part, Opaque)), f"{stage}/{name}")
            self._found.things.append(Thing("approval", arn, tags=self._tags))
        elif provider == "CodeBuild":
            self._build(action)
        elif category == "Deploy":
            self._deploy(action, provider, path)

    def _unknown(self, why: str, uses: Sequence[str], path: Path) -> None:
        """Note that an action may be of any kind, with roles for these uses."""
        self._found.blind.setdefault("*", why)
        self._found.roles.extend(RoleUse(use, Opaque(why), path) for use in uses)

    def _source(self, action: Any, provider: Any) -> None:
        found, configuration = self._found, _get(action, "Configuration")
        if provider == "CodeCommit":
            arn = self._arn(action, "codecommit:{r}:{a}:{RepositoryName}")
            branch = self._text(_get(configuration, "BranchName"))
            keys = () if isinstance(branch, Opaque) else (("codecommit:References", f"refs/heads/{branch}"),)
            found.things.append(Thing("repository", arn))
            found.things.append(Thing("branch", arn, context=keys))
        elif provider == "S3":
            key = self._text(_get(configuration, "S3ObjectKey"))
            self._objects("source object", _get(configuration, "S3Bucket"), key, None)
        elif provider == "ECR":
            self._image(action)
        elif provider == "CodeStarSourceConnection":
            self._connection(configuration)
        else:
            found.blind["branch"] = f"who may change what {provider} delivers is decided outside AWS"

    def _connection(self, configuration: Any) -> None:
        arn = self._text(_get(configuration, "ConnectionArn"))
        repository = self._text(_get(configuration, "FullRepositoryId"))
        service = "codestar-connections" if not isinstance(arn, str) else arn.split(":", 3)[2]
        word = "old connection" if service == "codestar-connections" else "connection"
        keys = [(f"{service}:ProviderPermissionsRequired", "read_write")]
        if isinstance(repository, str):
            keys.append((f"{service}:FullRepositoryId", repository))
        self._found.things.append(Thing(word, arn, context=tuple(keys)))
        called = repository if isinstance(repository, str) else "the repository"
        self._found.blind["branch"] = f"who may push to {called} is decided outside AWS"

    def _image(self, action: Any) -> None:
        name = _get(_get(action, "Configuration"), "RepositoryName")
        repository = self._named(REPOSITORY, name)
        if repository is not None and repository.properties.get("ImageTagMutability") == "IMMUTABLE":
            return
        own = self._own(repository) if repository is not None else self._unseen(f"repository `{name}`")
        arn = self._arn(action, "ecr:{r}:{a}:repository/{RepositoryName}")
        self._found.things.append(Thing("source image", arn, own=own))

    def _build(self, action: Any) -> None:
        name = _get(_get(action, "Configuration"), "ProjectName")
        project = self._named(PROJECT, name)
        if project is not None:
            self._project_of(project)
        else:
            self._found.things.append(
                Thing("project", self._arn(action, "codebuild:{r}:{a}:project/{ProjectName}"))
            )
            self._found.roles.append(
                RoleUse("build", Opaque(f"build project `{_shown(name)}` is not in this source"))
            )

    def _project_of(self, project: Resource) -> None:
        tags = project.tags
        known = None if tags is None or isinstance(tags, Unresolved | OpenDict) else tags
        arn = own_arn(project)
        self._found.things.append(Thing("project", arn or Opaque("its ARN is not known"), tags=known))
        self._role("build", project.properties.get("ServiceRole"), ("ServiceRole",), project)

    def _deploy(self, action: Any, provider: Any, path: Path) -> None:
        configuration = _get(action, "Configuration")
        self._role("deploy", _get(configuration, "RoleArn"), (*path, "Configuration", "RoleArn"))
        if provider == "S3":
            self._objects("deployed object", _get(configuration, "BucketName"), "*", "index.html")
            return
        form = _DEPLOYS.get(str(provider))
        if form is None:
            self._found.blind.setdefault("stack", f"deployments by {provider} are not looked at")
            return
        likely = self._arn(action, form.likely) if form.likely else None
        thing = Thing(form.word, self._arn(action, form.arn), likely if isinstance(likely, str) else None)
        self._found.things.append(thing)

    # -- what things are called ---------------------------------------------------------------------------

    def _arn(self, action: Any, form: str) -> str | Opaque:
        """Return an ARN of an action's region and its role's account, with names of its configuration."""
        configuration = _get(action, "Configuration")
        role, region = self._text(_get(action, "RoleArn")), self._text(_get(action, "Region"))
        known = {
            "a": account_of(role) if isinstance(role, str) and account_of(role) else self._found.account,
            "r": region if isinstance(region, str) else self._found.region,
        }
        for name in [part.partition("}")[0] for part in form.split("{")[1:]]:
            if name not in known:
                value = self._text(_get(configuration, name))
                if isinstance(value, Opaque):
                    return value
                known[name] = value
        return f"arn:{partition(self._resource)}:" + form.format_map(known)

    def _objects(self, word: str, bucket: Any, key: str | Opaque, likely: str | None) -> None:
        name = self._text(bucket)
        if isinstance(name, Opaque) or isinstance(key, Opaque):
            opaque = name if isinstance(name, Opaque) else key
            self._found.things.append(Thing(word, opaque))
            return
        head = f"arn:{partition(self._resource)}:s3:::{name}"
        own = self._bucket(bucket, name)
        shown = None if likely is None else f"{head}/{likely}"
        self._found.things.append(Thing(word, f"{head}/{key}", shown, own))

    def _artifacts(self, bucket: Any) -> None:
        folder = own_name(self._resource)[:_FOLDER]
        self._objects("artifact", bucket, f"{folder}*/*", f"{folder}/artifact/x")
        name = self._text(bucket)
        arn = name if isinstance(name, Opaque) else f"arn:{partition(self._resource)}:s3:::{name}"
        own = None if isinstance(name, Opaque) else self._bucket(bucket, name)
        self._found.things.append(Thing("artifact bucket", arn, None, own))

    def _bucket(self, value: Any, name: str) -> Policy | None:
        found = self._named(BUCKET, value)
        return self._unseen(f"bucket `{name}`") if found is None else self._own(found)

    def _unseen(self, what: str) -> Policy:
        return unknown_policy("resource", f"the policy of {what} is not in this source")

    def _own(self, resource: Resource) -> Policy | None:
        """Return a resource's own policy."""
        documents = [self._reader.document(resource, *spot) for spot in spots(resource)]
        return merged(documents)

    def _named(self, type_: str, value: Any) -> Resource | None:
        """Return the resource of a type that a value names."""
        found = self._sought(type_, value)
        self._found.looked.append(found)
        return found

    def _sought(self, type_: str, value: Any) -> Resource | None:
        if isinstance(value, Unresolved):
            target = value.target[0] if value.target is not None and value.parts is None else None
            return next((r for r in self._look(type_) if r.id == target), None)
        return next((r for r in self._look(type_) if value in (r.id, r.arn, own_name(r))), None)

    def _role(self, use: str, value: Any, path: Path, of: Resource | None = None) -> None:
        if value is not None:
            found = self._text(value, of)
            if isinstance(found, str) and not found.startswith("arn:"):
                found = f"arn:{partition(self._resource)}:iam::{self._found.account}:role/{found}"
            self._found.roles.append(RoleUse(use, found, path))

    def _text(self, value: Any, of: Resource | None = None) -> str | Opaque:
        """Return a text of the source with what it refers to filled in."""
        told = filled(value, of or self._resource, self._beside) if isinstance(value, Unresolved) else value
        if isinstance(told, str):
            return told
        return Opaque(told.describe() if isinstance(told, Unresolved) else "it is not given")


def _shown(value: Any) -> str:
    return value.detail if isinstance(value, Unresolved) else str(value)


def _get(value: Any, key: str) -> Any:
    if isinstance(value, Unresolved):
        return value.part()
    return value.get(key) if isinstance(value, dict) else None


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [*value, value.more] if isinstance(value, OpenList) else value
    return [] if value is None else [value]
