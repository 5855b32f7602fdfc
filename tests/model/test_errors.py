"""What an error quotes never breaks its line."""

from __future__ import annotations

import pickle

from policyengine.model.errors import InputError
from policyengine.model.location import Location


def test_quoted_input_stays_on_the_line_of_the_error() -> None:
    error = InputError("found `a\n::error::b\x1b[31m\u202e\udc80`, é is fine", Location("t.yaml", 1, 2))
    assert str(error) == "t.yaml:1:2: found `a\\n::error::b\\x1b[31m\\u202e\\udc80`, é is fine"
    assert error.message == str(error).removeprefix("t.yaml:1:2: ")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
