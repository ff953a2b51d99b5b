"""What is said on stderr: a line, and the same once a while."""

from __future__ import annotations

from storage.web.refusing import Complaints


def test_the_same_is_said_again_after_a_while_with_how_often_it_was_not() -> None:
    complaints, error = Complaints(), OSError("the disk")
    assert complaints.line("GET /a", error, 5.0) == "slugline: GET /a: OSError: the disk"
    assert complaints.line("GET /b", error, 6.0) == ""
    assert complaints.line("GET /b", error, 64.0) == ""
    assert complaints.line("GET /b", OSError("another"), 64.0)
    assert complaints.line("GET /c", error, 65.0) == (
        "slugline: GET /c: OSError: the disk (2 times more since it was last said)"
    )


def test_no_client_breaks_the_line() -> None:
    line = Complaints().line("GET /\n\x1b[2J", ValueError("x\ny"), 0.0)
    assert line == "slugline: GET /\ufffd\ufffd[2J: ValueError: x\ufffdy"


def test_only_so_much_is_remembered() -> None:
    complaints = Complaints()
    for number in range(500):
        assert complaints.line("GET /", OSError(str(number)), 0.0)
    assert complaints.line("GET /", OSError("0"), 1.0)
    assert complaints.line("GET /", OSError("499"), 1.0) == ""
