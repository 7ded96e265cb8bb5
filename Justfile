# The few commands that this project is worked on with. `just` alone lists them.

default:
    @just --list

# start the local stack and the editor (everything after `up` goes to towline)
up *options:
    uv run towline up {{ options }}

# stop the local stack
down:
    uv run towline down

# the local stack, the editor and a generated sample table
demo:
    uv run towline demo

# the tests (everything after `test` goes to pytest)
test *options:
    uv run pytest {{ options }}

# style, format and types
lint:
    uv run ruff check
    uv run ruff format --check
    uv run mypy

# what the main job costs, in milliseconds and S3 requests
bench *options:
    uv run python bench/main_job.py {{ options }}

# the functions and their layer, as they go to AWS, in .aws-sam/build
sam-build:
    UV_PROJECT_ENVIRONMENT=.venv-sam uv sync --quiet --only-group sam
    PATH="$(.ci/python3.12)/bin:$PATH" .venv-sam/bin/sam build
