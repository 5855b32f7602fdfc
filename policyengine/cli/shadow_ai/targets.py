"""Where logs are: files, folders, standard input, prefixes of S3; opened one after another, in a fixed order."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from policyengine.documents.files import exists, is_folder
from policyengine.model.errors import InputError, UsageError
from policyengine.model.location import Location
from policyengine.sources.base import SourceOptions
from policyengine.sources.paths import STDIN, STDIN_NAME, display_path, printable

_S3: Final = "s3://"
_PROBE: Final = "aws-logs-write-test"
"""What an export of CloudWatch Logs leaves beside the logs
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3ExportTasksConsole.html)."""


class Log(NamedTuple):
    """A log file: what it is called, and how to open it (raises OSError or InputError)."""

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]


def find(given: Sequence[str], profile: str | None) -> Iterator[Log]:
    """Yield the log files of what was given, in the order given; files of a folder and keys of a prefix in theirs.

    Raises UsageError for what is not there, and InputError for a bucket that cannot be listed or holds nothing there.
    """
    buckets: dict[str, Any] = {}
    for text in given:
        if text == STDIN:
            yield Log(STDIN_NAME, lambda: nullcontext(sys.stdin.buffer))
        elif text.startswith(_S3):
            yield from _objects(text, profile, buckets)
        elif is_folder(text):
            yield from _files(text)
        elif exists(text):
            yield _file(Path(text), text)
        else:
            raise UsageError(f"`{printable(text)}` is neither a file nor a folder nor s3://BUCKET/PREFIX")


def check(given: Sequence[str]) -> None:
    """Raise UsageError for what is not there, before anything is read."""
    if sum(text == STDIN for text in given) > 1:
        raise UsageError("standard input (`-`) can be read once only")
    for text in given:
        if text.startswith(_S3):
            _split(text)
        elif text != STDIN and not exists(text):
            raise UsageError(f"`{printable(text)}` is neither a file nor a folder nor s3://BUCKET/PREFIX")


def _file(path: Path, target: str) -> Log:
    return Log(display_path(path, SourceOptions(), target), lambda: path.open("rb"))


def _files(text: str) -> Iterator[Log]:
    """Folder by folder: a year of logs is more names than memory should hold."""
    found = False
    waiting = [text]
    while waiting:
        folder = waiting.pop()
        try:
            below, deeper = _listed(folder)
        except InputError as error:
            found = True
            yield Log(printable(folder), partial(_refused, error))
            continue
        for path in below:
            found = True
            yield _file(Path(path), text)
        waiting.extend(reversed(deeper))
    if not found:
        raise InputError("no file is below it", Location(printable(text)), code="empty")


def _refused(error: InputError) -> AbstractContextManager[BinaryIO]:
    raise error


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """Return the files of a folder and the folders in it, by name; links to folders are not followed."""
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file() and not entry.name.startswith(".") and entry.name != _PROBE:
                    files.append(entry.path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"cannot be listed: {reason}", Location(printable(folder)), code="unreadable"
        ) from None
    return sorted(files), sorted(folders)


def _split(text: str) -> tuple[str, str]:
    bucket, _, prefix = text.removeprefix(_S3).partition("/")
    if not bucket:
        raise UsageError(f"`{printable(text)}` names no bucket; expected s3://BUCKET/PREFIX")
    return bucket, prefix


def _objects(text: str, profile: str | None, buckets: dict[str, Any]) -> Iterator[Log]:
    from policyengine.aws.failures import CallFailure
    from policyengine.aws.objects import Bucket
    from policyengine.aws.sessions import Sessions

    name, prefix = _split(text)
    found = False
    try:
        bucket = buckets.get(name)
        if bucket is None:
            bucket = buckets[name] = Bucket(Sessions(profile), name)
        for key in bucket.keys(prefix):
            found = True
            if key.rpartition("/")[2] == _PROBE:
                continue
            yield Log(printable(f"{_S3}{name}/{key}"), partial(_opened, bucket, key))
    except CallFailure as failure:
        error = InputError(str(failure), Location(printable(text)), code="unreadable")
        if not found:
            raise error from None
        yield Log(printable(text), partial(_refused, error))  # what was listed before it was read
    if not found:
        raise InputError("no object is below it", Location(printable(text)), code="empty")


def _opened(bucket: Any, key: str) -> AbstractContextManager[BinaryIO]:
    from policyengine.aws.failures import CallFailure

    try:
        return closing(bucket.open(key))
    except CallFailure as failure:
        raise InputError(
            str(failure), Location(printable(f"{_S3}{bucket.name}/{key}")), code="unreadable"
        ) from None
