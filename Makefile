# make run    everything on the embedded sample, from nothing to the table
# make test   all default tests
PYTHON ?= python3
PROFILE ?= sample
WORKERS ?= 2
# JupyterLab asks for no news, no newer JupyterLab and no list of extensions (docs/privacy.md)
LAB = --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.extension_manager=readonly

.PHONY: help env lock run report test lint lab clean
.DEFAULT_GOAL := help

help:
	@echo "make run                 install, then run every notebook on the embedded sample (minutes)"
	@echo "make run PROFILE=cpu     the same under another profile of workflow/profiles"
	@echo "make report              the executed notebooks of a profile as a site that opens from disk (PROFILE=cpu ...)"
	@echo "make test                install, then run the tests, in two processes (WORKERS=8 ...)"
	@echo "make lab                 install, then open the notebooks in JupyterLab"
	@echo "make lint                ruff, nbstripout and mypy"
	@echo "make env                 install alone, into .venv"
	@echo "make lock                write constraints.lock anew after constraints.txt has changed"
	@echo "make clean               remove caches and the results of the sample, keep .venv and other results"
	@echo "PYTHON=python3.12 names another Python (3.11 or newer)."

env:
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer, or name it: make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" workflow/install.py

lock:
	@.venv/bin/python workflow/lock.py

run: env
	@.venv/bin/python -m leadwise run --profile "$(PROFILE)"

report: env
	@.venv/bin/python -m leadwise report --profile "$(PROFILE)"

test: env
	@.venv/bin/python -m pytest -n "$(WORKERS)" --dist worksteal

lint: env
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m nbstripout --verify */*.ipynb
	.venv/bin/python -m mypy

lab: env
	@.venv/bin/python -c "import leadwise; from jupyterlab.labapp import main; main()" $(LAB)

clean:
	rm -rf runs/sample runs/.sample-data runs/.sample-signals .test-runs .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
