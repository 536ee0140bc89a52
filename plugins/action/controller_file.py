# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a small text file on the controller, without the two modules that ``ansible.builtin.copy`` starts for it."""

from __future__ import annotations

import stat
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

OPTIONS: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "required": True},
    "mode": {"type": "str", "default": "0644"},
    "directory_mode": {"type": "str", "default": "0755"},
    "force": {"type": "bool", "default": True},
}


class ActionModule(ActionBase):
    """The action of ``controller_file``."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Compare, and write unless in check mode."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        validated = ArgumentSpecValidator(OPTIONS).validate(self._task.args)
        if validated.error_messages:
            raise AnsibleActionFail("; ".join(validated.error_messages))
        options: dict[str, t.Any] = validated.validated_parameters
        path = Path(options["path"]).absolute()
        wanted, mode = options["content"], _mode(options["mode"], "mode")
        try:
            before = path.read_text(encoding="utf-8") if path.exists() else None
            keep = before is not None and (before == wanted or not options["force"])
            changed = not keep or stat.S_IMODE(path.stat().st_mode) != mode
            if changed and not self._task.check_mode:
                path.parent.mkdir(mode=_mode(options["directory_mode"], "directory_mode"), parents=True, exist_ok=True)
                if keep:
                    path.chmod(mode)
                else:
                    _write(path, wanted, mode)
        except (OSError, UnicodeDecodeError) as error:
            raise AnsibleActionFail(f"The file {path} cannot be kept: {error}") from error
        result.update({"changed": changed, "path": str(path)})
        if self._task.diff and not keep:
            result["diff"] = {"before": before or "", "after": wanted, "before_header": str(path), "after_header": str(path)}
        return result


def _mode(text: str, option: str) -> int:
    try:
        return int(text, 8)
    except ValueError as error:
        raise AnsibleActionFail(f"{option}: '{text}' is not an octal number such as 0600.") from error


def _write(path: Path, content: str, mode: int) -> None:
    """Put the file there at once, so that nobody ever sees half of it."""
    handle = tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False)  # noqa: SIM115 (renamed below)
    temporary = Path(handle.name)
    try:
        with handle:
            handle.write(content)
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
