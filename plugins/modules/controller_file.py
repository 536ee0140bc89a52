#!/usr/bin/python
# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action ``controller_file``, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: controller_file
short_description: Keep a small text file on the controller
version_added: 0.1.0
author:
  - leadops.dynamics365 contributors (@leadops)
description:
  - Writes a text file where Ansible runs, whatever the host and its connection, and makes the directory that it is in.
  - The role P(leadops.dynamics365.lead_management#role) keeps hand-off sheets and encrypted passwords with it. With hundreds of tenants,
    M(ansible.builtin.copy) would take longer for that than the rest of the role, because it starts two modules for each file.
  - The file is put in place at once. A run that is interrupted leaves the old file or the new one, never half of it.
options:
  path:
    description:
      - The file. A relative path begins at the current directory.
    type: path
    required: true
  content:
    description:
      - The text. Encrypt what is secret, for example with P(ansible.builtin.vault#filter).
    type: str
    required: true
  mode:
    description:
      - The file's permissions as an octal number.
    type: str
    default: "0644"
  directory_mode:
    description:
      - The permissions of the directory, if it has to be made.
    type: str
    default: "0755"
  force:
    description:
      - Whether a file with another content is replaced. With V(false), what is there stays.
    type: bool
    default: true
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what it would change, without changing anything.
    support: full
  diff_mode:
    description: Returns what was, or in check mode would be, changed when in diff mode.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
seealso:
  - module: ansible.builtin.copy
"""

EXAMPLES = r"""
- name: Keep a note about each tenant
  leadops.dynamics365.controller_file:
    path: "notes/{{ inventory_hostname }}.md"
    content: "{{ lookup('ansible.builtin.template', 'note.md.j2') }}"

- name: Keep a password, encrypted
  leadops.dynamics365.controller_file:
    path: "passwords/{{ inventory_hostname }}.yml"
    content: "{{ password | ansible.builtin.vault(vault_password) }}"
    mode: "0600"
    directory_mode: "0700"
    force: false
  diff: false
"""

RETURN = r"""
path:
  description: The file, as an absolute path.
  returned: success
  type: str
  sample: /home/operator/notes/contoso.md
"""
