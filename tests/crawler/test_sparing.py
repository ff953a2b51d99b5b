"""Importing for a command: the environment is left as it was."""

from __future__ import annotations

import os

import pytest

from crawler.sparing import imports


def test_the_environment_is_as_before_whatever_happens_within(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "mine.pem")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with pytest.raises(ImportError):
        _import_what_is_not_there()
    assert os.environ["SSL_CERT_FILE"] == "mine.pem"
    assert "SSL_CERT_DIR" not in os.environ


def _import_what_is_not_there() -> None:
    with imports():
        assert os.environ["SSL_CERT_FILE"] == os.devnull
        raise ImportError
