"""The secrets of a URI stay in memory: they are in nothing that is written or shown."""

from __future__ import annotations

import pickle

import pytest

from slr_ray import locations
from slr_ray.errors import StorageError
from slr_ray.locations import take, to_hand_on
from slr_ray.records.run_folder import RunFolder
from slr_ray.storage import Store, absolute, complete, masked, remember, resolve

SAS = "sv=2021-06-08&ss=b&srt=sco&sp=rwdlac&se=2030-01-01&sig=aB3%2Fc4D5e6%3D"
AZURE = f"abfs://acc@127.0.0.1:10000/runs/a?enable_tls=false&{SAS}"
NO_SAS = "sv=***&ss=***&srt=***&sp=***&se=***&sig=***"
S3 = "s3://AKIAKEY:s3cr3t%2Fkey@bucket/runs?region=eu-west-1"

CASES = [
    (AZURE, f"abfs://acc@127.0.0.1:10000/runs/a?enable_tls=false&{NO_SAS}"),
    (S3, "s3://***@bucket/runs?region=eu-west-1"),
    ("s3://AKIAKEY:s3cr3t%2Fkey@bucket", "s3://***@bucket"),
    ("hdfs://host:9000/a@b", "hdfs://host:9000/a@b"),
    ("gs://anonymous@bucket/x?scheme=http", "gs://anonymous@bucket/x?scheme=http"),
    ("abfs://container@acc.dfs.core.windows.net/x", "abfs://container@acc.dfs.core.windows.net/x"),
    ("s3://bucket/a:b/c@d?e", "s3://bucket/a:b/c@d?e"),
    ("s3://bucket/x?something_new=hush", "s3://bucket/x?something_new=***"),
    ("runs/a:b@c?d=e", "runs/a:b@c?d=e"),
]


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "_given", {})


@pytest.mark.parametrize(("given", "shown"), CASES)
def test_a_location_is_shown_without_its_secrets(given: str, shown: str) -> None:
    assert remember(given) == shown
    # Shown again it stays as it is, and where a file system is opened it is whole.
    assert remember(shown) == shown
    assert complete(shown) == given


def test_a_password_with_a_slash_is_one() -> None:
    assert remember("s3://AKIAKEY:s3cr3t/key@bucket/runs") == "s3://***@bucket/runs"
    assert complete("s3://***@bucket/runs") == "s3://AKIAKEY:s3cr3t%2Fkey@bucket/runs"


@pytest.mark.parametrize("given", [AZURE, S3])
def test_folders_hold_no_secret(given: str) -> None:
    secrets = ("s3cr3t", "aB3%2F")
    for made in (Store(given), RunFolder(given), Store(given).join("x"), absolute(given)):
        for text in (repr(made), str(pickle.dumps(made))):
            assert not any(one in text for one in secrets)


def test_what_lies_below_or_beside_is_completed_too() -> None:
    remember(S3)
    assert complete("s3://***@bucket/other/a b?scheme=http") == (
        "s3://AKIAKEY:s3cr3t%2Fkey@bucket/other/a b?scheme=http"
    )
    with pytest.raises(StorageError, match=r"SLR_RAY_URIS") as raised:
        complete("s3://***@another/x")
    assert "s3://***@another/x" in str(raised.value)


def test_of_several_the_nearest_and_the_last_given_counts() -> None:
    place = "abfs://acc@127.0.0.1:10000"
    for folder, secret in (("runs", "old"), ("poses", "other"), ("runs", "new")):
        remember(f"{place}/{folder}?sig={secret}")
    assert complete(f"{place}/runs/a?sig=***") == f"{place}/runs/a?sig=new"
    assert complete(f"{place}/poses/a?sig=***") == f"{place}/poses/a?sig=other"


def test_the_environment_gives_them_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLR_RAY_URIS", f"s3://a:b@elsewhere {S3}")
    assert complete("s3://***@bucket/runs/sslr-1") == "s3://AKIAKEY:s3cr3t%2Fkey@bucket/runs/sslr-1"


def test_they_are_handed_on_to_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = remember(AZURE)
    handed = to_hand_on()
    monkeypatch.setattr(locations, "_given", {})
    take(handed)
    assert complete(shown) == AZURE


def test_no_error_tells_them() -> None:
    told = f"GET {AZURE} failed: signature aB3/c4D5e6= of 'abfs://x@y/z?sig=unknown' is bad"
    remember(AZURE)
    shown = masked(told)
    assert "aB3" not in shown
    assert "unknown" not in shown
    assert "failed: signature *** of 'abfs://x@y/z?sig=***' is bad" in shown
    for uri in ("s3://AKIAKEY:s3cr3t@buck et/x", "s3://bucket/x?secret_thing=s3cr3t"):
        with pytest.raises(StorageError) as raised:
            resolve(uri)
        assert "s3cr3t" not in str(raised.value)
