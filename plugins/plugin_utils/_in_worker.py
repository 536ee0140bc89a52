# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module inside Ansible's forked worker instead of in a new Python.

Starting a Python with msal and requests for every task of every host costs twenty times the work itself.
Ansible imports an action plugin in its main process before it forks, so what is imported and made here at
the top (libraries, TLS context, token store) is paid for once and inherited by all workers.

Where the worker is not the right place, the module runs the ordinary way; the result is the same.

This file is private to the collection.
"""

from __future__ import annotations

import contextlib
import os
import sys
import types
import typing as t
from collections.abc import Mapping

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import AnsibleValidationError, UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._task import missing_library, perform
from ._token_store import SharedTokenStore

OPT_OUT = "leadops_dynamics365_in_worker"
"""A host or play variable: false runs every module the ordinary way."""

_STORE = SharedTokenStore()
_DISPLAY = Display()

if not missing_library():
    from ..module_utils._http import tls_context

    tls_context(None, validate=True)  # parsed once here, inherited by every worker


class InWorkerAction(ActionBase):
    """The action of a module: subclasses only name the module."""

    module: t.ClassVar[types.ModuleType]
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run here if that is equivalent, else the ordinary way."""
        variables = task_vars or {}
        if not self._belongs_here(variables):
            return self._run_as_module(variables)
        result: dict[str, t.Any] = super().run(tmp, variables)
        # Where Ansible starts ordinary modules on this machine, so that relative paths mean the same. The worker runs nothing but this task.
        with contextlib.chdir(self._loader.get_basedir()):
            return {**result, **self._run_here(str(variables.get("inventory_hostname", "")))}

    def _run_as_module(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """What Ansible does with every module that has no action of its own."""
        loader = self._shared_loader_obj.action_loader
        ordinary = loader.get(
            "ansible.legacy.normal",
            task=self._task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        result: dict[str, t.Any] = ordinary.run(task_vars=variables)
        return result

    def _belongs_here(self, variables: Mapping[str, t.Any]) -> bool:
        """Whether the module would run on this machine, as this user, with this Python and environment."""
        wanted = self._templar.template(variables.get("ansible_python_interpreter", ""))
        # A proxy look-up after a fork can crash on macOS
        return (
            self._connection.transport in ("local", "ansible.builtin.local")
            and not self._connection.become
            and not self._task.async_val
            and not any(self._task.environment or [])
            and sys.platform != "darwin"
            and (not wanted or str(wanted).startswith("auto") or _same_python(str(wanted)))
            and _is_true(self._templar.template(variables.get(OPT_OUT, True)))
            and not missing_library()
        )

    def _run_here(self, host: str) -> dict[str, t.Any]:
        spec = self.module.SPEC
        secrets: set[str] = set()
        validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(self._task.args)
        parameters: dict[str, t.Any] = validated.validated_parameters
        _collect_secrets(spec.options, parameters, secrets)
        if validated.error_messages:
            return _masked({"failed": True, "msg": "; ".join(_told(error, self._task.action) for error in validated.errors)}, secrets)
        ended = perform(
            self.module.reconcile,
            parameters,
            check_mode=self._task.check_mode,
            diff_mode=self._task.diff,
            store=_STORE,
            on_secret=secrets.add,
            progress=lambda text: _DISPLAY.display(remove_values(f"[{host}] {text}", secrets)),
        )
        masked = _masked(ended.result, secrets)
        if ended.failed:
            masked["failed"] = True
        masked["invocation"] = {"module_args": _masked(parameters, secrets)}
        return masked


def _told(error: AnsibleValidationError, action: str) -> str:
    """As an ordinary module tells it."""
    return f"Unsupported parameters for ({action}) module: {error.msg}" if isinstance(error, UnsupportedError) else str(error.msg)


def _same_python(interpreter: str) -> bool:
    """Two virtual environments can link to one Python, so the directory counts too."""
    return all(os.path.realpath(part(interpreter)) == os.path.realpath(part(sys.executable)) for part in (os.path.dirname, str))


def _is_true(value: t.Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() not in ("false", "no", "0", "off")


def _masked(result: Mapping[str, t.Any], secrets: set[str]) -> dict[str, t.Any]:
    masked: dict[str, t.Any] = remove_values(dict(result), secrets)
    return masked


def _collect_secrets(options: Mapping[str, t.Any], parameters: Mapping[str, t.Any] | None, secrets: set[str]) -> None:
    """Take the value of every option that is declared secret, at any depth."""
    for name, option in options.items():
        value = (parameters or {}).get(name)
        if not value:
            continue
        if option.get("no_log"):
            secrets.update(str(item) for item in (value if isinstance(value, list) else [value]))
        if "options" in option:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Mapping):
                    _collect_secrets(option["options"], item, secrets)
