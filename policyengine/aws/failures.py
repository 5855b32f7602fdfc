"""Why a call to AWS gave no answer, in the closed words that Unresolved values use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

DENIED: Final = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AccessDeniedForDependencyException",
        "AuthFailure", "AuthorizationError", "AuthorizationErrorException", "Client.UnauthorizedOperation",
        "ForbiddenException", "NotAuthorized", "NotAuthorizedException", "UnauthorizedAccess",
        "UnauthorizedException", "UnauthorizedOperation", "403", "Forbidden", "AllAccessDisabled",
    }
)  # fmt: skip
CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId",
        "InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
        "TokenRefreshRequired", "UnrecognizedClientException",
    }
)  # fmt: skip
REGIONAL: Final = frozenset({"InvalidClientTokenId", "UnrecognizedClientException"})
"""What a region answers that is disabled, or that does not take tokens of the global endpoint of STS
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html): other regions may."""
THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
        "TooManyRequests", "TooManyRequestsException", "TransactionInProgressException", "503 SlowDown",
    }
)  # fmt: skip
DISABLED: Final = frozenset(
    {
        "OptInRequired", "SubscriptionRequiredException", "InvalidAction", "UnknownOperationException",
        "NotImplemented", "UnsupportedOperation", "UnsupportedOperationException", "UnsupportedActionException",
        "RegionDisabledException",
    }
)  # fmt: skip
"""Error codes by what they mean (https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, and the list of throttling codes in
botocore's ``data/_retry.json``)."""


class CallFailure(Exception):  # a failure of AWS's, not a mistake of the caller's
    """An operation of AWS that gave no answer; what it would have given is not known.

    ``reason`` is a key of ``UNRESOLVED_REASONS``; ``error`` is AWS's error code, or the name of the local
    exception (a time-out, an answer that could not be parsed). ``request_id`` is AWS's, where it answered;
    ``certain``: it was refused or never sent, so that it changed nothing.
    """

    def __init__(
        self,
        operation: str,
        reason: str,
        error: str,
        text: str,
        account: str = "",
        region: str = "",
        request_id: str = "",
        certain: bool = False,
    ) -> None:
        super().__init__(f"{operation}: {error}{f': {text}' if text else ''}")
        self.operation = operation
        self.reason = reason
        self.error = error
        self.text = text
        self.account = account
        self.region = region
        self.request_id = request_id
        self.certain = certain

    def __reduce__(self) -> tuple[Any, ...]:
        told = (self.operation, self.reason, self.error, self.text, self.account, self.region)
        return (CallFailure, (*told, self.request_id, self.certain))

    @property
    def credentials(self) -> bool:
        """Whether no call of this account can succeed with these credentials any more."""
        return self.error in CREDENTIALS or self.error in _NO_CREDENTIALS

    @property
    def unreachable(self) -> bool:
        """Whether nobody answered: another call to the same endpoint would wait as long."""
        return self.error in _UNREACHABLE or self.error in _SILENT

    @property
    def by_scp(self) -> bool:
        """Whether AWS says that a service control policy denies it
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html)."""
        return self.reason == "access_denied" and "service control policy" in self.text

    def is_one_of(self, codes: Iterable[str]) -> bool:
        """Whether it is one of these error codes; ``Code: text`` wants the text in AWS's message too."""
        for code in codes:
            error, _, text = code.partition(": ")
            if self.error == error and text in self.text:
                return True
        return False

    @property
    def detail(self) -> str:
        """What an Unresolved value says: ``s3:GetBucketPolicy: AccessDenied``."""
        return f"{self.operation}: {self.error}"


_NO_CREDENTIALS: Final = frozenset(
    {
        "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError",
        "SSOTokenLoadError", "UnauthorizedSSOTokenError", "ProfileNotFound", "RefreshWithMFAUnsupportedError",
    }
)  # fmt: skip
_UNREACHABLE: Final = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "UnknownEndpointError"})
_SILENT: Final = frozenset({"ReadTimeoutError", "ConnectionClosedError"})


_QUOTAS: Final = frozenset({"LimitExceededException"})
"""Among THROTTLED for reading; for a change it mostly says that a quota is used up."""
_NOT_SENT: Final = frozenset({"ParamValidationError", "MissingParametersError"})


class Reading(NamedTuple):
    """An exception of botocore, read: the reason, the error code and the text, without request ids."""

    reason: str
    error: str
    text: str


def is_call_failure(problem: BaseException) -> bool:
    """Whether an exception is AWS's or the way's there: botocore's, or one its parsers fell over an answer with
    (KeyError among them); anything else is a mistake of ours."""
    return _of_libraries(problem) or _while_parsing(problem)


def was_refused(problem: BaseException) -> bool:
    """Whether a call surely changed nothing: AWS said no, with a code of its own, or it was never sent.

    Time-outs, broken connections and internal errors leave that open; a request that was throttled was not carried out,
    whatever its status is (EC2 answers 503: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html).
    """
    response = getattr(problem, "response", None)
    if not isinstance(response, dict):
        return type(problem).__name__ in _NOT_SENT | _NO_CREDENTIALS
    code = str((response.get("Error") or {}).get("Code") or "")
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode")
    if (
        not code or code.isdigit()
    ):  # botocore's words for an answer without any: whoever answered, it was not the service
        return False
    return is_throttle(code) or (isinstance(status, int) and 400 <= status < 500)


def is_throttle(code: str) -> bool:
    """Whether an error code says that the same change may be asked for again a little later."""
    return code.rpartition("#")[2].partition(":")[0] in THROTTLED - _QUOTAS


def _of_libraries(problem: BaseException) -> bool:
    return type(problem).__module__.partition(".")[0] in ("botocore", "urllib3")


def _while_parsing(problem: BaseException) -> bool:
    trace = problem.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == "botocore.parsers":
            return True
        trace = trace.tb_next
    return False


def read_exception(problem: BaseException) -> Reading:
    """Classify what a botocore client raised; anything unknown is ``read_error``."""
    if not _of_libraries(problem) and _while_parsing(problem):
        return Reading("read_error", "MalformedAnswer", "the answer is not what its model says")
    response = getattr(problem, "response", None)
    if not isinstance(response, dict):
        name = type(problem).__name__
        reason = "access_denied" if name in _NO_CREDENTIALS else "read_error"
        if name in _UNREACHABLE:
            reason = "not_collected"
        # botocore quotes the whole answer, which may hold anything
        text = "the answer cannot be read" if name == "ResponseParserError" else str(problem)
        return Reading(reason, name, _one_line(text))
    error = response.get("Error") or {}
    code = str(error.get("Code") or type(problem).__name__)
    text = _one_line(str(error.get("Message") or ""))
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode")
    return Reading(reason_of(code, status), code, text)


def reason_of(code: str, status: Any = None) -> str:
    """Return the reason for an AWS error code; the HTTP status decides where the code is not known."""
    plain = code.rpartition("#")[2].partition(":")[0]
    if plain in DENIED or plain in CREDENTIALS:
        return "access_denied"
    if plain in THROTTLED or status == 429:
        return "throttled"
    if plain in DISABLED:
        return "not_collected"
    return "access_denied" if status in (401, 403) else "read_error"


def _one_line(text: str) -> str:
    """A page of HTML (a proxy, a broken endpoint) says nothing that is worth a line."""
    line = " ".join(text.split())
    start = line.casefold().find("<!doctype")
    return f"{line[:start]}(the answer is a page of HTML)" if start >= 0 else line[:300]
