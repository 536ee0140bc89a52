# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Solution packages for tests: a sound one, and every way to spoil it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROLE_ID = "7c3de6a5-58c1-4a55-9a8e-5f0c1d2e3b4a"
CONTENT_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types" />'
CUSTOMIZATIONS = f"""<ImportExportXml><Entities /><Roles>
<Role id="{{{ROLE_ID.upper()}}}" name="Lead Writer"><RolePrivileges>
<RolePrivilege name="prvCreateLead" level="Global" /><RolePrivilege name="prvReadLead" level="Basic" />
</RolePrivileges></Role></Roles></ImportExportXml>"""


def manifest(
    *, version: str = "1.0.0.0", managed: str = "1", name: str = "ContosoLeads", publisher: str = "contoso", dependencies: tuple[str, ...] = ()
) -> str:
    missing = "".join(
        f'<MissingDependency><Required type="1" displayName="Lead" solution="{solution}" /><Dependent type="1" /></MissingDependency>'
        for solution in dependencies
    )
    return f"""<?xml version="1.0" encoding="utf-8"?><ImportExportXml languagecode="1033"><SolutionManifest><UniqueName>{name}</UniqueName>
<LocalizedNames><LocalizedName description="Andere" languagecode="1031" /><LocalizedName description="Contoso Leads" languagecode="1033" /></LocalizedNames>
<Version>{version}</Version><Managed>{managed}</Managed><Publisher><UniqueName>{publisher}</UniqueName></Publisher>
<MissingDependencies>{missing}</MissingDependencies></SolutionManifest></ImportExportXml>"""


def packed(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def sound_files(solution_xml: str | bytes | None = None, customizations: str | bytes = CUSTOMIZATIONS) -> dict[str, str | bytes]:
    return {"[Content_Types].xml": CONTENT_TYPES, "solution.xml": solution_xml or manifest(), "customizations.xml": customizations}


def write_package(directory: Path, solution_xml: str | None = None) -> str:
    path = directory / "package.zip"
    path.write_bytes(packed(sound_files(solution_xml)))
    return str(path)
