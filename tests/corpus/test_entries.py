"""The list of what is to be judged, and its shards."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalguard.corpus.entries import Entry, ListError, of_shard, read_list


def test_a_list_has_packages_folders_archives_and_comments(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    text = "# which\nsome.thing==1.0  # why\n\nOther_thing == 2.0.post1+cu12\nmine\nold-1.0.tar.gz\n"
    assert read_list(text, tmp_path) == [
        Entry("some.thing", "1.0"),
        Entry("Other_thing", "2.0.post1+cu12"),
        Entry("mine", place=str(tmp_path / "mine")),
        Entry("old-1.0.tar.gz", place=str(tmp_path / "old-1.0.tar.gz")),
    ]


def test_a_package_that_is_listed_twice_is_one(tmp_path: Path) -> None:
    assert read_list("some.thing==1.0\nSome-Thing==1.0\nsome_thing==1.1\n", tmp_path) == [
        Entry("some.thing", "1.0"),
        Entry("some_thing", "1.1"),
    ]


@pytest.mark.parametrize(
    "line", ["thing", "thing>=1.0", "thing==1.0; extra", "-r other.txt", "--index-url=x==1", "thing==1.0 --pre"]
)
def test_what_is_neither_pinned_nor_there_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(ListError, match="line 2"):
        read_list(f"good==1.0\n{line}\n", tmp_path)


def test_every_entry_is_in_one_shard_whatever_else_is_listed() -> None:
    entries = [Entry(f"thing-{number}", "1.0") for number in range(200)]
    shards = [of_shard(entries, number, 7) for number in range(1, 8)]
    assert sorted((entry for shard in shards for entry in shard), key=entries.index) == entries
    assert all(10 < len(shard) < 50 for shard in shards)
    assert of_shard(entries[::2], 3, 7) == [entry for entry in shards[2] if entry in entries[::2]]


def test_the_shard_of_a_name_never_changes() -> None:
    """Whatever the machine, the process and the spelling of the name: shards of one list run on several machines."""
    shards = [1, 1, 1, 4, 1, 4, 4]
    names = ["torch_like", "Torch.Like", "timm", "kornia", "accelerate", "peft", "trl"]
    assert [next(n for n in range(1, 5) if of_shard([Entry(name, "1.0")], n, 4)) for name in names] == shards


def test_the_pinned_list_of_this_repository_is_one() -> None:
    file = Path(__file__).parents[2] / "benchmarks" / "corpus.txt"
    entries = read_list(file.read_text(), file.parent)
    assert len(entries) == 300
    assert all(entry.version and not entry.place for entry in entries)
