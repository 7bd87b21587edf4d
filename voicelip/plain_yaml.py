"""YAML that people write, as plain values; nothing in it is executed."""

from collections.abc import Callable
from typing import Any


class NotYamlError(ValueError):
    """The text is no YAML, or nested too deep; `where` is such as `, line 3`, or empty."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.where = f", line {line}" if line else ""


def read_yaml(text: str) -> Any:
    """The values; raises NotYamlError."""
    import yaml

    return _guarded(yaml.safe_load, text)


def read_yaml_and_nodes(text: str) -> tuple[Any, Any]:
    """The values, and PyYAML's nodes that they are made of, which know their lines; raises NotYamlError."""
    return _guarded(_values_and_nodes, text)


def _values_and_nodes(text: str) -> tuple[Any, Any]:
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        return (None if root is None else loader.construct_document(root)), root
    finally:
        loader.dispose()


def _guarded(read: Callable[[str], Any], text: str) -> Any:
    import yaml

    try:
        return read(text)
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        raise NotYamlError(str(failure).splitlines()[0], mark.line + 1 if mark else None) from None
    except RecursionError:
        raise NotYamlError("nested too deep", None) from None
    except (ValueError, TypeError, OverflowError) as failure:  # dates and numbers that there are none of
        raise NotYamlError(str(failure).splitlines()[0], None) from None
