"""Settings: config.toml and the code say the same; what is wrong is said all at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crawler.config.errors import ConfigError, unit_of
from crawler.config.settings import (
    ClusterTable,
    Config,
    Defaults,
    FetchTable,
    LimitsTable,
    Settings,
    SiteTable,
    StoreTable,
    load_config,
    parse_config,
)

SHIPPED = Path(__file__).parents[3] / "config.toml"
TABLES: dict[str, type[BaseModel]] = {
    "defaults": Defaults,
    "fetch": FetchTable,
    "limits": LimitsTable,
    "store": StoreTable,
    "cluster": ClusterTable,
}


def settings() -> Iterator[tuple[str, str, FieldInfo]]:
    for table, model in TABLES.items():
        for name, field in model.model_fields.items():
            yield table, name, field


def failure(text: str, environment: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, environment or {})
    return caught.value


def test_the_shipped_file_says_what_the_code_does_without_one() -> None:
    assert load_config(SHIPPED, {}) == Config()
    assert load_config(SHIPPED, {}).settings() == Settings()


def test_the_shipped_file_has_every_setting_in_the_codes_order() -> None:
    shipped = tomllib.loads(SHIPPED.read_text())
    assert list(shipped) == list(TABLES)
    for table, model in TABLES.items():
        assert list(shipped[table]) == list(model.model_fields)


@pytest.mark.parametrize(("table", "name", "field"), list(settings()))
def test_every_setting_has_a_meaning_and_the_shipped_file_its_unit_and_reason(
    table: str, name: str, field: FieldInfo
) -> None:
    lines = SHIPPED.read_text().split(f"\n[{table}]")[1].splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{name} = "))
    assert field.description
    assert lines[at - 1].startswith("# ")
    assert lines[at].endswith(f" # {unit_of(field)}" if unit_of(field) else "")


def test_the_site_table_in_the_shipped_files_comment_works() -> None:
    comment = SHIPPED.read_text().split("# [[site]]")[1]
    text = "[[site]]\n" + "\n".join(line.removeprefix("# ") for line in comment.splitlines()[1:])
    assert parse_config(text, {}).site[0].rate == 0.5


def test_all_problems_come_together_with_path_value_and_what_is_allowed() -> None:
    error = failure(
        """
        [defaults]
        rate = -1
        keep = "all"
        probe = "yes"
        formats = ["Not A Name"]
        [fetch]
        connect_timeout = nan
        workers = true
        resolve = ["example.org"]
        [[site]]
        url = "wpnews.pro"
        """
    )
    assert [problem.path for problem in error.problems] == [
        "defaults.rate",
        "defaults.formats[0]",
        "defaults.probe",
        "defaults.keep",
        "fetch.workers",
        "fetch.connect_timeout",
        "fetch.resolve[0]",
        "site[0].url",
    ]
    lines = str(error).splitlines()
    assert lines[0] == (
        "config.toml: defaults.rate = -1: must be a number from 0 to 1000 requests/s"
    )
    assert "must be one of: content, bytes" in lines[3]
    assert "must be true or false" in lines[2]


def test_an_unknown_key_is_named_with_the_nearest_known_one() -> None:
    (problem,) = failure("[defaults]\nverify_withn = 3").problems
    assert problem.path == "defaults.verify_withn"
    assert "did you mean verify_within?" in problem.allowed
    assert "known here: rate, concurrency" in problem.allowed


def test_a_setting_of_another_table_is_unknown_in_a_site() -> None:
    (problem,) = failure('[[site]]\nurl = "https://example.org"\nmax_body = 1').problems
    assert problem.path == "site[0].max_body"
    assert "it belongs in [limits]" in problem.allowed


def test_a_password_in_a_sites_url_is_refused_and_not_shown() -> None:
    (problem,) = failure('[[site]]\nurl = "https://me:s3cret@example.org/"').problems
    assert "must hold no name or password" in problem.allowed
    assert "s3cret" not in str(problem)


def test_a_sites_url_is_normalised() -> None:
    read = parse_config('[[site]]\nurl = "HTTPS://Example.org:443/a/../news#top"', {})
    assert read.site[0].url == "https://example.org/news"
    assert read.site[0].label == "example.org~news"


@pytest.mark.parametrize("name", ["", "A", "a/b", ".a", "a.", "con", "a b", "a" * 101])
def test_a_sites_name_is_a_folders(name: str) -> None:
    (problem,) = failure(f'[[site]]\nurl = "https://example.org"\nname = "{name}"').problems
    assert problem.path == "site[0].name"
    assert "it is a folder's" in problem.allowed


def test_a_site_needs_a_url() -> None:
    (problem,) = failure('[[site]]\nname = "x"').problems
    assert (problem.path, problem.allowed) == ("site[0].url", "is missing")


@pytest.mark.parametrize(
    "line",
    [
        'proxy = "socks5://127.0.0.1"',
        'proxy = "http://"',
        'proxy = "http://[::1"',
        'headers = { "a b" = "x" }',
        'headers = { A = "x", a = "y" }',
        'headers = { A = "x\\ny" }',
        "headers = { A = 3 }",
        'headers = { A = { env = "X", more = 1 } }',
        'include = [""]',
        'verify_within = "30d"',
        "torn_retries = 1.5",
        'gone_after = "1d"',
        'discovery = ["guess"]',
        'schedule = "* * * *"',
        "max_requests = -1",
        "max_seconds = -0.5",
    ],
)
def test_a_wrong_default_is_refused(line: str) -> None:
    (problem,) = failure(f"[defaults]\n{line}").problems
    assert problem.path.startswith("defaults.")
    assert problem.allowed


@pytest.mark.parametrize(
    "line",
    ['contact = "a\\nb"', 'encodings = "gzip\\u0000"', 'ca_bundle = "/no/such/file"',
     'allow_address = ["10.0.0.0/99"]', "allow_address = [10]", "resolve = [80]"],
)  # fmt: skip
def test_a_wrong_fetch_setting_is_refused(line: str) -> None:
    (problem,) = failure(f"[fetch]\n{line}").problems
    assert problem.path.startswith("fetch.")


def test_a_long_wrong_value_is_cut() -> None:
    (problem,) = failure(f'[defaults]\nkeep = "{"x" * 500}"').problems
    assert len(problem.shown) == 80


def test_a_file_that_is_no_toml_is_named_with_its_line() -> None:
    assert "line 2" in str(failure("[defaults]\nrate = = 2"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, content in ((tmp_path / "none.toml", None), (tmp_path / "latin.toml", b"# \xe9")):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            load_config(path, {})
        assert str(path) in str(caught.value)


def test_a_header_comes_from_the_environment_and_prints_as_stars() -> None:
    text = '[defaults]\nheaders = { Authorization = { env = "NEWS_TOKEN" } }'
    read = parse_config(text, {"NEWS_TOKEN": "Bearer s3cret"}).settings()
    assert read.headers["Authorization"].get_secret_value() == "Bearer s3cret"
    assert "s3cret" not in f"{read!r} {read} {read.model_dump()}"


def test_an_unset_environment_variable_is_named() -> None:
    text = '[defaults]\nheaders = { Authorization = { env = "NEWS_TOKEN" } }'
    assert "environment variable NEWS_TOKEN is not set" in str(failure(text))


def test_a_wrong_secret_is_not_shown() -> None:
    text = '[defaults]\nheaders = { Authorization = "s3cret\\n" }\nproxy = "s3cret:3128"'
    error = failure(text)
    assert len(error.problems) == 2
    assert "s3cret" not in str(error)


def test_a_proxy_is_not_shown_with_the_settings() -> None:
    assert "pass" not in repr(Settings().changed(proxy="http://user:pass@127.0.0.1:3128"))


def test_a_site_goes_over_the_defaults_and_only_where_it_says_so() -> None:
    config = parse_config(
        """
        [defaults]
        rate = 1
        concurrency = 5
        [limits]
        max_redirects = 2
        [[site]]
        url = "https://example.org/news"
        rate = 2.0
        """,
        {},
    )
    read = config.settings(config.site[0])
    assert (read.rate, read.concurrency, read.max_redirects) == (2.0, 5, 2)
    assert config.settings().rate == 1


def test_the_longest_site_owns_a_url_at_path_segments() -> None:
    sites = tuple(
        SiteTable(url=url)
        for url in ("https://example.org", "https://example.org/news/", "https://example.net/a")
    )
    config = Config(site=sites)
    assert config.site_of("https://example.org/news") is sites[1]
    assert config.site_of("https://example.org/news/x") is sites[1]
    assert config.site_of("https://example.org/newsletter") is sites[0]
    assert config.site_of("https://example.net/ab") is None


def test_settings_are_frozen() -> None:
    read, name = Settings(), "rate"
    with pytest.raises(ValueError, match="frozen"):
        setattr(read, name, 3.0)


def test_changed_settings_are_checked_like_a_file() -> None:
    read = Settings().changed(allow_address=["10.1.2.3/8"], ca_bundle=str(SHIPPED), rate=0)
    assert read.allow_address == (ip_network("10.0.0.0/8"),)
    assert read.ca_bundle == SHIPPED
    assert read.changed(max_articles=3).rate == 0
    with pytest.raises(ConfigError) as caught:
        read.changed(rate=-1, concurrency=0)
    assert {problem.path for problem in caught.value.problems} == {"concurrency", "rate"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "9" * 5000, "4300 digits"),
        ("a = " + "[" * 5000, "nest too deep"),
        ('"\\u001b[31mred\\nline" = 1', "is no setting"),
        ('[[site]]\nurl = "https://e.org/"\nheaders = { Range = "bytes=0-1" }', "to slugline"),
    ],
)
def test_settings_made_to_vex_are_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, {})
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="more than"):
        load_config(Path("/dev/zero"), {})
