"""The codes of the tool's own: what it says of files rather than of modules. Documented like rules."""

from __future__ import annotations

from typing import ClassVar

from evalguard.finding import Severity


class UnreadableFile:
    """A file cannot be read, decoded or parsed.

    ## What it does
    Reports a file that was to be checked, and that evalguard could not make sense of: it may not be opened, its bytes
    are not in the encoding that it declares, or it is not valid Python. All other files are checked.

    ## Why is this bad?
    Nothing in the file was checked. Its functions are unknown to the files that import it as well, so a mode that they
    set or leave behind is not seen there either: without this finding, silence would look like a clean result.

    ## Example
    ```python
    def validate(model, loader:
        model.eval()
    ```

    ## Use instead
    ```python
    def validate(model, loader):
        model.eval()
    ```

    ## Known limits
    Only the first error of a file is named. Python 2 is an error. A file that is meant to be broken, such as a
    template, can be left out with `extend-exclude`.
    """

    code: ClassVar[str] = "EVG901"
    name: ClassVar[str] = "unreadable-file"
    default: ClassVar[bool] = True
    severity: ClassVar[Severity] = Severity.ERROR


class UnusedSuppression:
    """A comment of evalguard's silences a finding that is not there.

    ## What it does
    Reports codes in `# noqa: EVG...` and `# evalguard: ignore[...]` that silence nothing on their line, and a bare
    `# evalguard: ignore` that does not. Codes of other tools, and a bare `# noqa`, are theirs.

    ## Why is this bad?
    The comment says that something is wrong here and is left so on purpose. When the code has been mended, that is no
    longer true, and the day the mistake comes back nobody hears of it.

    ## Example
    ```python
    model.eval()  # noqa: EVG101
    ```

    ## Use instead
    ```python
    model.eval()
    ```

    ## Fix safety
    Safe: only the comment changes. A reason that was given behind it goes with it.

    ## Known limits
    Off unless it is selected: what is found depends on the files that are given, and where only some of a project's
    files are checked, as before a commit, a comment may look unused that is needed. Files that hold nothing which sets
    or uses a mode are not looked at. Codes of rules that are switched off are not judged.
    """

    code: ClassVar[str] = "EVG902"
    name: ClassVar[str] = "unused-suppression"
    default: ClassVar[bool] = False
    severity: ClassVar[Severity] = Severity.WARNING


class UnknownCodeInSuppression:
    """A comment silences a code that evalguard does not have.

    ## What it does
    Reports codes that begin no code of evalguard's, in `# evalguard: ignore[...]` and, if they begin with `EVG`, in
    `# noqa: ...`.

    ## Why is this bad?
    A slip of the pen silences nothing: the finding that was meant is still reported, or is reported again as soon as
    somebody selects its rule, and who reads the comment believes that it is dealt with.

    ## Example
    ```python
    model.eval()  # noqa: EVG999
    ```

    ## Use instead
    ```python
    model.eval()  # noqa: EVG201
    ```

    ## Fix safety
    Safe: the code is taken out of the comment, and the comment goes if it names no other. Nothing was silenced by it.

    ## Known limits
    Files that hold nothing which sets or uses a mode are not looked at.
    """

    code: ClassVar[str] = "EVG903"
    name: ClassVar[str] = "unknown-code-in-suppression"
    default: ClassVar[bool] = True
    severity: ClassVar[Severity] = Severity.WARNING


OWN_CODES = (UnreadableFile(), UnusedSuppression(), UnknownCodeInSuppression())
