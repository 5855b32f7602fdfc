"""Whether a CodeBuild webhook lets people start builds whom its owner never named.

A build of a pull request runs the code of whoever opened it, with the project's role. The filter groups are read as
CodeBuild reads them: within a group every filter must pass, one group is enough
(https://docs.aws.amazon.com/codebuild/latest/APIReference/API_WebhookFilter.html). Filters of refs, files and
commit messages stop nobody, because the author of a pull request chooses those. A filter of actors is decided by the
ids its pattern admits (:mod:`policyengine.rules.searched`), `excludeMatchedPattern` and several filters included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.model.finding import Evidence, Witness
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.paths import Mistyped, walk
from policyengine.rules.searched import PatternError, Texts, TooLarge, admitted

_NUMBERS: Final = Texts("0123456789", 20, "0")
"""Account ids of GitHub, GitHub Enterprise and GitLab."""
_BITBUCKET: Final = Texts("0123456789abcdef:-{}", 64)
_GROUPS: Final = ("Triggers", "FilterGroups")
_POLICY: Final = ("Triggers", "PullRequestBuildPolicy")
_FREE_ROLES: Final = frozenset({"GITHUB_READ", "GITLAB_GUEST", "BITBUCKET_READ"})
"""Roles that somebody has who may only look: as approvers they hold up nobody on a public repository
(https://docs.aws.amazon.com/codebuild/latest/APIReference/API_PullRequestBuildPolicy.html has the roles)."""
_EXPECTED: Final = "builds of pull requests only for actors whom the filters name"


@dataclass(slots=True)
class _Group:
    """A filter group: its events, the patterns of its actors, and what in it is not known."""

    events: set[str]
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    doubt: Unresolved | None = None


def only_named_actors(subject: Subject, *, events: Sequence[str], actors: int) -> Answer:
    """FALSE when some filter group builds one of ``events`` for more than ``actors`` account ids."""
    properties = subject.resource.properties
    webhook = _plain(walk(properties, ("Triggers", "Webhook")))
    groups = walk(properties, _GROUPS)
    if webhook is False or (webhook is ABSENT and groups is ABSENT):
        return Answer(TRUE, (Evidence(("Triggers",), ABSENT, _EXPECTED, "requirement_met"),))
    stopped = _comment_approval(subject)
    if stopped is True:
        policy = walk(properties, (*_POLICY, "RequiresCommentApproval"))
        met = Evidence((*_POLICY, "RequiresCommentApproval"), policy, _EXPECTED, "requirement_met")
        return Answer(TRUE, (met,))
    answers = _answers(groups, frozenset(events), actors, _ids(properties))
    doubts = [why for why in (webhook, stopped) if isinstance(why, Unresolved)]
    return _joined(answers, doubts)


def _answers(groups: Any, events: frozenset[str], actors: int, ids: Texts) -> list[Answer]:
    if isinstance(groups, Unresolved | Mistyped):
        return [_unknown(_GROUPS, groups)]
    if groups is ABSENT or (groups == [] and not isinstance(groups, OpenList)):
        return [_admits(_GROUPS, "no filters at all", "1", min(events))]
    if not isinstance(groups, list):
        return [_unknown(_GROUPS, groups)]
    answers = [_of_group((*_GROUPS, i), group, events, actors, ids) for i, group in enumerate(groups)]
    if isinstance(groups, OpenList):
        answers.append(_unknown((*_GROUPS, "-"), groups.more))
    return answers


def _joined(answers: Sequence[Answer], doubts: Sequence[Unresolved]) -> Answer:
    """One group is enough; what may stop all of them makes the rest doubtful."""
    admitting = [a for a in answers if a.truth is FALSE]
    if admitting and not doubts:
        return Answer(FALSE, tuple(e for a in admitting for e in a.evidence), admitting[0].witness)
    unknown = [a for a in answers if a.truth is UNKNOWN]
    if admitting and doubts:
        return _unknown(("Triggers",), doubts[0])
    if unknown:
        return Answer(UNKNOWN, tuple(e for a in unknown for e in a.evidence))
    return Answer(TRUE, tuple(e for a in answers for e in a.evidence))


def _of_group(path: tuple[Any, ...], group: Any, events: frozenset[str], actors: int, ids: Texts) -> Answer:
    if not isinstance(group, list):
        return _unknown(path, group)
    read = _read(group)
    built = events & read.events
    if not built:
        shown = ", ".join(sorted(read.events)) or "no event"
        return Answer(TRUE, (Evidence(path, shown, _EXPECTED, "requirement_met"),))
    try:
        found = admitted(tuple(read.include), tuple(read.exclude), ids, actors)
    except (PatternError, TooLarge) as error:
        why = Unresolved("unsupported", f"a pattern of actors: {error}", present=True)
        return _unknown(path, why)
    if found.count <= actors:
        shown = ", ".join(found.samples[:5]) or "nobody"
        return Answer(TRUE, (Evidence(path, f"actors {shown}", _EXPECTED, "requirement_met"),))
    if read.doubt is not None:
        return _unknown(path, read.doubt)
    return _admits(path, _shown(read), found.samples[-1], min(built))


def _admits(path: tuple[Any, ...], shown: str, actor: str, event: str) -> Answer:
    passes = f"{shown}: {event} of account {actor} starts a build"
    witness = Witness(f"account {actor} of the source provider", event, "the webhook", {})
    return Answer(FALSE, (Evidence(path, passes, _EXPECTED, "forbidden_present"),), witness)


def _shown(read: _Group) -> str:
    texts = [f"actors `{p}`" for p in read.include] + [f"all actors but `{p}`" for p in read.exclude]
    return " and ".join(texts) or f"{', '.join(sorted(read.events))} by every actor"


def _read(group: Sequence[Any]) -> _Group:
    """Return what a group says; a filter that is not known may narrow the group, and never widens it."""
    found = _Group(set(_EVENTS), doubt=getattr(group, "more", None))
    for one in group:
        kind, pattern, negated = (_part(one, name) for name in ("Type", "Pattern", "ExcludeMatchedPattern"))
        negated = _plain(negated)
        unknown = next((v for v in (kind, pattern, negated) if isinstance(v, Unresolved)), None)
        if not isinstance(one, Mapping) or unknown is not None:
            if kind in ("EVENT", "ACTOR_ACCOUNT_ID") or not isinstance(kind, str):
                found.doubt = (
                    found.doubt or unknown or Unresolved("unsupported", "a filter that is no object")
                )
        elif kind == "EVENT":
            named = {word.strip() for word in str(pattern).split(",")}
            found.events = found.events - named if negated is True else found.events & named
        elif kind == "ACTOR_ACCOUNT_ID":
            (found.exclude if negated is True else found.include).append(str(pattern))
    return found


_EVENTS: Final = (
    "PUSH", "PULL_REQUEST_CREATED", "PULL_REQUEST_UPDATED", "PULL_REQUEST_CLOSED", "PULL_REQUEST_REOPENED",
    "PULL_REQUEST_MERGED", "RELEASED", "PRERELEASED", "WORKFLOW_JOB_QUEUED",
)  # fmt: skip
OPEN_EVENTS: Final = (
    "PULL_REQUEST_CREATED", "PULL_REQUEST_UPDATED", "PULL_REQUEST_REOPENED", "PULL_REQUEST_CLOSED",
)  # fmt: skip
"""What somebody without write access to the repository can cause."""


def _comment_approval(subject: Subject) -> bool | Unresolved:
    """Return whether a pull request of a stranger waits for a comment of somebody who may approve.

    AWS turns the approval on for new projects
    (https://docs.aws.amazon.com/codebuild/latest/userguide/pull-request-build-policy.html); one that exists shows it.
    """
    policy = walk(subject.resource.properties, _POLICY)
    wanted = walk(subject.resource.properties, (*_POLICY, "RequiresCommentApproval"))
    roles = walk(subject.resource.properties, (*_POLICY, "ApproverRoles"))
    if policy is ABSENT or wanted is ABSENT:
        why = "new projects ask for comment approval of pull requests, older ones do not"
        return Unresolved("default_depends", why) if subject.resource.file is not None else False
    for value in (wanted, roles, getattr(roles, "more", None), *(roles if isinstance(roles, list) else ())):
        if isinstance(value, Unresolved):
            return False if wanted == "DISABLED" else value
    free = isinstance(roles, list) and not _FREE_ROLES.isdisjoint(roles)
    return wanted in ("ALL_PULL_REQUESTS", "FORK_PULL_REQUESTS") and not free


def _ids(properties: Mapping[str, Any]) -> Texts:
    return _BITBUCKET if walk(properties, ("Source", "Type")) == "BITBUCKET" else _NUMBERS


def _part(one: Any, name: str) -> Any:
    if isinstance(one, Unresolved):
        return one.part()
    if not isinstance(one, Mapping):
        return ABSENT
    return one[name] if name in one else getattr(one, "more", ABSENT)


def _plain(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _unknown(path: tuple[Any, ...], value: Any) -> Answer:
    if isinstance(value, Unresolved):
        return Answer(UNKNOWN, (Evidence(path, value, _EXPECTED, value.reason),))
    observed = value.value if isinstance(value, Mistyped) else value
    return Answer(UNKNOWN, (Evidence(path, observed, _EXPECTED, "wrong_type"),))


PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "codebuild.only_named_actors",
        only_named_actors,
        "No filter group of the webhook starts builds for account ids that nobody named.",
        {
            "events": Arg("list:string", False, OPEN_EVENTS, "events that anybody can cause"),
            "actors": Arg(
                "integer", False, 100, "how many ids a pattern may admit and still name its actors"
            ),
        },
        types=("AWS::CodeBuild::Project",),
    ),
)
