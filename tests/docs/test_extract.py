"""The extractor finds what a reader would type, and nothing else."""

from types import ModuleType

PAGE = """
Look at this, which is no file:

```csv
a;b
```

File: `x/y.toml`

```toml
k = 1
```

```console
$ hva check my
All is well.
$ hva train my
```
"""


def test_files_and_commands_come_in_order(extract: ModuleType) -> None:
    found = extract.blocks(PAGE)
    assert [(b.kind, b.path, b.text) for b in found] == [
        ("file", "x/y.toml", "k = 1\n"),
        ("command", "", "hva check my"),
        ("command", "", "hva train my"),
    ]


def test_blocks_of_a_language(extract: ModuleType) -> None:
    assert extract.fenced(PAGE, "csv") == ["a;b\n"]
