"""The global condition keys: what kind of value each has, how many, and when a request carries it.

All of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html as of
October 2026: data type, value type and availability of every key on that page, cross-service keys
(``ec2:``, ``glue:``, ``lambda:``, …) among them. Names are lower case; ``${tagkey}`` stands for any text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from policyengine.iam.glob import Matcher, compile_glob

Kind = Literal["string", "arn", "bool", "date", "numeric", "ip"]
Present = Literal[
    "always",
    "signed",
    "principal in an organization",
    "tagged principal",
    "service principal",
    "iam user",
    "session",
    "temporary credentials",
    "vpc endpoint",
    "no vpc endpoint",
    "most actions",
    "resource in an organization",
    "tagged resource",
    "called via a service",
    "tags in the request",
    "tagging operation",
    "sometimes",
]
"""When a request carries a key.

``always``: anonymous requests too. ``signed``: every request that is not anonymous. ``session``: a kind of
role session or workload that AWS names, with nothing said of others. ``most actions``: all but those of
``WITHOUT_RESOURCE_ACCOUNT``. The rest is what the words say; ``sometimes`` is everything else.
"""


@dataclass(frozen=True, slots=True)
class GlobalKey:
    """What AWS says of a global condition key."""

    kind: Kind
    multivalued: bool
    present: Present

    @property
    def availability(self) -> Literal["always", "sometimes"]:
        """``always`` only where the page says that every request carries it."""
        return "always" if self.present == "always" else "sometimes"


_ROWS: Final = """
aws:principalarn                    arn      one   signed
aws:principalaccount                string   one   always
aws:principalorgpaths               string   many  principal in an organization
aws:principalorgid                  string   one   principal in an organization
aws:principaltag/${tagkey}          string   one   tagged principal
aws:principalisawsservice           bool     one   signed
aws:principalservicename            string   one   service principal
aws:principalservicenameslist       string   many  service principal
aws:principaltype                   string   one   always
aws:userid                          string   one   always
aws:username                        string   one   iam user
aws:assumedroot                     bool     one   session
aws:federatedprovider               string   one   session
aws:tokenissuetime                  date     one   temporary credentials
aws:signinsessionarn                arn      one   session
aws:multifactorauthage              numeric  one   temporary credentials
aws:multifactorauthpresent          bool     one   temporary credentials
aws:chatbotsourcearn                arn      one   session
aws:ec2instancesourcevpc            string   one   session
aws:ec2instancesourceprivateipv4    ip       one   session
aws:sourceidentity                  string   one   session
ec2:roledelivery                    numeric  one   session
ec2:sourceinstancearn               arn      one   session
glue:roleassumedby                  string   one   session
glue:credentialissuingservice       string   one   session
codebuild:buildarn                  arn      one   session
codebuild:projectarn                arn      one   session
lambda:sourcefunctionarn            arn      one   session
ssm:sourceinstancearn               arn      one   session
identitystore:userid                string   one   session
aws:sourceip                        ip       one   no vpc endpoint
aws:sourcevpc                       string   one   vpc endpoint
aws:sourcevpcarn                    arn      one   vpc endpoint
aws:sourcevpce                      string   one   vpc endpoint
aws:vpceaccount                     string   one   vpc endpoint
aws:vpceorgid                       string   one   vpc endpoint
aws:vpceorgpaths                    string   many  vpc endpoint
aws:vpcsourceip                     ip       one   vpc endpoint
aws:resourceaccount                 string   one   most actions
aws:resourceorgpaths                string   many  resource in an organization
aws:resourceorgid                   string   one   resource in an organization
aws:resourcetag/${tagkey}           string   one   tagged resource
aws:calledvia                       string   many  called via a service
aws:calledviafirst                  string   one   called via a service
aws:calledvialast                   string   one   called via a service
aws:viaawsservice                   bool     one   always
aws:calledviaawsmcp                 string   one   sometimes
aws:viaawsmcpservice                bool     one   sometimes
aws:currenttime                     date     one   always
aws:epochtime                       date     one   always
aws:referer                         string   one   sometimes
aws:requestedregion                 string   one   always
aws:requesttag/${tagkey}            string   one   tags in the request
aws:tagkeys                         string   many  tagging operation
aws:securetransport                 bool     one   always
aws:sourceaccount                   string   one   service principal
aws:sourcearn                       arn      one   service principal
aws:sourceorgid                     string   one   service principal
aws:sourceorgpaths                  string   many  service principal
aws:useragent                       string   one   always
aws:ismcpserviceaction              bool     one   sometimes
"""
# aws:epochtime is compared by date and by numeric operators, aws:federatedprovider is an ARN for providers
# that are not built in. A vpc endpoint does not put aws:sourcevpcarn or aws:vpce… into requests of every
# service, nor a service principal aws:source… into every request: they are in no others.


def _rows() -> dict[str, GlobalKey]:
    found: dict[str, GlobalKey] = {}
    for line in _ROWS.strip().splitlines():
        name, kind, count, present = line.split(None, 3)
        found[name] = GlobalKey(kind, count == "many", present)  # type: ignore[arg-type]  # a test checks the words
    return found


GLOBAL_KEYS: Final[Mapping[str, GlobalKey]] = MappingProxyType(_rows())

WITHOUT_RESOURCE_ACCOUNT: Final = (
    "auditmanager:UpdateAssessmentFrameworkShare",
    "detective:AcceptInvitation",
    "ds:AcceptSharedDirectory",
    "ebs:*",
    "ec2:AcceptTransitGatewayPeeringAttachment",
    "ec2:AcceptVpcEndpointConnections",
    "ec2:AcceptVpcPeeringConnection",
    "ec2:CreateTransitGatewayPeeringAttachment",
    "ec2:CreateVpcEndpoint",
    "ec2:CreateVpcPeeringConnection",
    "events:PutEvents",
    "guardduty:AcceptAdministratorInvitation",
    "macie2:AcceptInvitation",
    "es:AcceptInboundConnection",
    "route53:AssociateVpcWithHostedZone",
    "route53:CreateVPCAssociationAuthorization",
    "securityhub:AcceptAdministratorInvitation",
)
"""Actions whose requests need not carry ``aws:ResourceAccount``, ``ResourceOrgID`` and ``ResourceOrgPaths``."""

_PLACEHOLDER: Final = re.compile(r"\$\{[^{}]*\}|<[^<>]*>|(?<=/)tag-key\Z|(?<=/)\Z")


def global_key(name: str) -> GlobalKey | None:
    """Return what AWS says of a global key in any case, ``aws:PrincipalTag/team`` included."""
    lowered = name.lower()
    head, slash, _ = lowered.partition("/")
    return GLOBAL_KEYS.get(f"{head}/${{tagkey}}" if slash else lowered)


@lru_cache(maxsize=4096)
def key_matcher(listed: str) -> Matcher:
    """Return what says whether a lower-case key is the one AWS lists as ``listed`` (lower case).

    AWS writes the part that callers choose as ``${TagKey}``, ``<key>``, ``tag-key`` or leaves it out.
    """
    return compile_glob(_PLACEHOLDER.sub("*", listed))
