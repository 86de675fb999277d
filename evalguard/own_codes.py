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


OWN_CODES = (UnreadableFile(),)
