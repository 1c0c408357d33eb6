# The Python of each environment is looked for; to name it: make run PYTHON=python3.12,
# make test-allennlp PYTHON310=/opt/python3.10/bin/python
VENV = .venv
VENV_ALLENNLP = .venv-allennlp
# the default pipeline, a package of its own that needs this one: pip gets both at once,
# so that it looks for neither elsewhere
PIPELINE = assets/en_elmo_ner_sm
METADATA = setup.cfg pyproject.toml constraints.txt \
	$(PIPELINE)/setup.py $(PIPELINE)/en_elmo_ner_sm/meta.json
PAGE = visualizations/entities.html
# A file's tests stay together: they share what takes long to make
PYTEST = -m pytest --quiet --numprocesses 2 --dist loadfile

# The tests' batches are small: more threads make them wait for each other, and an old
# torch's BLAS shares sums between them in more than one way.
test test-fast coverage test-allennlp: export OMP_NUM_THREADS ?= 1

.PHONY: run test test-fast coverage lint docs test-allennlp

# The main job: entities printed one a line, and as a displaCy page
run: $(VENV)/installed
	@$(VENV)/bin/python -m spacy_elmo_ner entities "My name is John!" \
		--file assets/sample/text.txt
	@$(VENV)/bin/python -m spacy_elmo_ner visualize $(PAGE) \
		--text "My name is John!" --file assets/sample/text.txt

test: lint docs
	$(VENV)/bin/python $(PYTEST)

# without the fuzzes, kills, benchmarks and workflows, which take most of the time
test-fast: lint
	$(VENV)/bin/python $(PYTEST) -m "not slow"

# The package's lines and branches that the tests run
coverage: $(VENV)/installed-dev
	$(VENV)/bin/python $(PYTEST) --cov --cov-report term:skip-covered

lint: $(VENV)/installed-dev
	$(VENV)/bin/black --check --quiet . || $(VENV)/bin/black --check .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy --no-error-summary

# The site, in site/: a warning, such as one of a broken link, is an error
docs: $(VENV)/installed-dev
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

# The same tests beside AllenNLP, which needs Python 3.10 and old versions of the rest
test-allennlp: $(VENV_ALLENNLP)/installed
	$(VENV_ALLENNLP)/bin/python $(PYTEST)

$(VENV)/installed: $(METADATA)
	python=$${PYTHON:-$$(scripts/find_python.sh 3.11 3.12)} && "$$python" -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt \
		--editable ".[project]" --editable ./$(PIPELINE)
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --constraint constraints.txt \
		--editable ".[dev,docs,project,glove,frames,demo,serve,spark]"
	touch $@

$(VENV_ALLENNLP)/installed: $(METADATA)
	python=$${PYTHON310:-$$(scripts/find_python.sh 3.10)} && \
		"$$python" -m venv $(VENV_ALLENNLP)
	$(VENV_ALLENNLP)/bin/pip install --quiet \
		--editable ".[allennlp,dev,project,glove,frames]" --editable ./$(PIPELINE)
	touch $@
