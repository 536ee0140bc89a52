# Copyright (c) 2026, leadops.dynamics365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every command of this repository. Needs make and Python 3.11 or newer; everything else is put into .venv here.

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP_INSTALL := $(PYTHON) -m pip install -qq --disable-pip-version-check

# The checkout under the path by which Ansible and Python know a collection.
TREE := build/collections
LINK := $(TREE)/ansible_collections/leadops/dynamics365

RUNTIME := $(VENV)/runtime.stamp
DEVELOPMENT := $(VENV)/development.stamp

export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(TREE)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# Ansible refuses to run without UTF-8. (An empty or "C" LANG is no obstacle: Python mends that itself.)
ifneq ($(filter C POSIX,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo emulator bench bench-packages test lint style types content package unit integration error-page clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{printf "%-20s%s\n", $$1, $$2}'

## --- try it ---

demo: $(RUNTIME) $(LINK)  ## onboard eleven emulated tenants, twice; KEEP=1 leaves the emulator running
	@KEEP='$(KEEP)' $(PYTHON) -m tests.demo $(ARGS)

emulator: $(RUNTIME)  ## run the emulator in the foreground; ARGS="--port 8443 --latency 50"
	@exec $(PYTHON) -m tests.emulator $(ARGS)

bench: $(RUNTIME) $(LINK)  ## measure the speed claims
	@$(PYTHON) -m tests.benchmark $(ARGS)

bench-packages: $(RUNTIME) $(LINK)  ## measure what a solution package costs each tenant
	@PYTHONPATH=$(TREE) $(PYTHON) -m tests.benchmark.packages $(ARGS)

## --- check it ---

test: $(DEVELOPMENT) $(LINK)  ## everything that must be green: lint, and the gates on each ansible-core that runs here
	$(PYTHON) tests/tools/run_gates.py

lint: style types content package  ## style, types, playbooks and documentation, package

style: $(DEVELOPMENT)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: $(DEVELOPMENT) $(LINK)
	$(PYTHON) -m mypy $(LINK)/plugins tests/emulator

content: $(DEVELOPMENT) $(LINK)
	$(PYTHON) -m ansiblelint
	$(VENV)/bin/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs all .

package: $(DEVELOPMENT)
	$(PYTHON) -m antsibull_changelog lint
	$(VENV)/bin/ansible-galaxy collection build --force --output-path build/dist

unit: $(DEVELOPMENT) $(LINK)  ## the quick loop: unit tests and emulator checks; ARGS="-k throttling"
	$(PYTHON) -m pytest tests/unit tests/emulator_checks --ignore-glob='*_clients.py' $(ARGS)

integration: $(DEVELOPMENT)  ## integration targets; ARGS="crm_user" for one
	$(PYTHON) -m nox --tag integration $(if $(ARGS),-- $(ARGS))

error-page: $(PYTHON) $(LINK)  ## write the documentation page of the error catalogue
	@PYTHONPATH=$(TREE) $(PYTHON) -m tests.tools.write_error_page

clean:  ## remove all that these commands made
	rm -rf $(VENV) .nox .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

## --- what the above stand on ---

$(LINK):
	@mkdir -p $(@D)
	@ln -s ../../../.. $@

# The stamps keep a second call from asking the network anything.
$(DEVELOPMENT): tests/requirements.txt $(RUNTIME)
	@echo 'Installing the development tools into $(VENV) ...'
	@$(PIP_INSTALL) -r tests/requirements.txt
	@touch $@

$(RUNTIME): meta/ee-requirements.txt tests/emulator/requirements.txt | $(PYTHON)
	@echo 'Installing ansible-core and what the collection and the emulator need into $(VENV) ...'
	@$(PIP_INSTALL) 'ansible-core>=2.19' -r meta/ee-requirements.txt -r tests/emulator/requirements.txt
	@touch $@

$(PYTHON):
	@python=$$(sh tests/tools/find_pythons | sed -n '1s/^[^ ]* //p'); \
	if [ -z "$$python" ]; then \
		echo 'No usable Python 3.11 to 3.14 found. It needs the venv, ensurepip, ssl and sqlite3 modules (on Debian: apt install python3-venv).' >&2; \
		exit 1; \
	fi; \
	echo "Creating $(VENV) with $$python ..."; \
	"$$python" -m venv --clear $(VENV)
