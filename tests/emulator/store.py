# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State: JSON documents in SQLite, with a copy in memory.

Documents live in collections, named by a scope (a tenant id, or ``""`` for what all tenants share)
and a kind (``"users"``, ``"roles"``). Readers get the document itself and must not change it in
place: a change is a new document put under the same key, so that it reaches the disk and can be
undone. The server commits after each request; a change set that fails half-way is undone with
``Store.atomic()``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_SCHEMA = "CREATE TABLE IF NOT EXISTS documents (scope TEXT, kind TEXT, key TEXT, document TEXT, PRIMARY KEY (scope, kind, key))"


class Collection(MutableMapping[str, Document]):
    """The documents of one kind in one scope, in order of creation."""

    def __init__(self, store: Store, scope: str, kind: str) -> None:
        self._store = store
        self._scope = scope
        self._kind = kind
        self._documents: dict[str, Document] = {}

    def __getitem__(self, key: str) -> Document:
        return self._documents[key]

    def __setitem__(self, key: str, document: Document) -> None:
        self._store.note(self, key, self._documents.get(key))
        self._documents[key] = document
        self._store.write(self._scope, self._kind, key, document)

    def __delitem__(self, key: str) -> None:
        self._store.note(self, key, self._documents[key])
        del self._documents[key]
        self._store.write(self._scope, self._kind, key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._documents))

    def __len__(self) -> int:
        return len(self._documents)

    def change(self, key: str, **values: Any) -> Document:
        """Put a copy of the document with some members changed, and return it."""
        document = {**self[key], **values}
        self[key] = document
        return document

    def load(self, key: str, document: Document) -> None:
        """Take in what is on the disk already."""
        self._documents[key] = document

    def show(self, key: str, document: Document | None) -> Document | None:
        """Let readers see this for a while (None: nothing), whatever is on the disk; answers what they saw until now."""
        before = self._documents.pop(key, None)
        if document is not None:
            self._documents[key] = document
        return before

    def restore(self, key: str, document: Document | None) -> None:
        """Undo one change."""
        if document is None:
            self._documents.pop(key, None)
        else:
            self._documents[key] = document
        self._store.write(self._scope, self._kind, key, document)


Change = tuple[Collection, str, Document | None]
"""Where something was changed, and the document that was there before."""


class Store:
    """All collections of one emulator."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the state kept in ``path``, or keep it in memory only."""
        self._database = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False, isolation_level="DEFERRED")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_SCHEMA)
        self._collections: dict[tuple[str, str], Collection] = {}
        self._journals: list[list[Change]] = []
        self.changes = 0
        """How many changes there have been: tells whether a request had an effect."""
        for scope, kind, key, text in self._database.execute("SELECT scope, kind, key, document FROM documents ORDER BY rowid"):
            self.collection(scope, kind).load(key, json.loads(text))

    def collection(self, scope: str, kind: str) -> Collection:
        """The collection of that name; it exists as soon as it is asked for."""
        found = self._collections.get((scope, kind))
        if found is None:
            found = self._collections[scope, kind] = Collection(self, scope, kind)
        return found

    def write(self, scope: str, kind: str, key: str, document: Document | None) -> None:
        """Bring one document to the disk (None removes it); ``commit`` makes it last."""
        if document is None:
            self._database.execute("DELETE FROM documents WHERE scope = ? AND kind = ? AND key = ?", (scope, kind, key))
        else:
            self._database.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document",
                (scope, kind, key, json.dumps(document)),
            )

    def note(self, collection: Collection, key: str, before: Document | None) -> None:
        """Remember what a change replaced, for every ``atomic`` block that is open."""
        self.changes += 1
        for journal in self._journals:
            journal.append((collection, key, before))

    @contextmanager
    def atomic(self) -> Iterator[list[Change]]:
        """Undo every change made inside the block if the block raises. Gives the list of the changes, which grows with them."""
        journal: list[Change] = []
        self._journals.append(journal)
        try:
            yield journal
        except BaseException:
            self._journals.pop()
            for collection, key, before in reversed(journal):
                collection.restore(key, before)
            raise
        else:
            self._journals.pop()

    def commit(self) -> None:
        """Make all changes so far survive a killed process."""
        self._database.commit()

    def clear(self) -> None:
        """Forget everything."""
        self._database.execute("DELETE FROM documents")
        for collection in self._collections.values():
            for key in collection:
                collection._documents.pop(key)
        self.commit()

    def close(self) -> None:
        """Commit and let go of the file."""
        self.commit()
        self._database.close()
