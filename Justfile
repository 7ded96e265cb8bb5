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

# send files to a dataset's raw/ (just ingest golf_rounds a.csv b.json)
ingest dataset +files:
    uv run towline ingest {{ dataset }} {{ files }}

# what became of each file of a dataset (everything after the dataset goes to towline)
manifest dataset *options:
    uv run towline manifest {{ dataset }} {{ options }}

# the first rows of a raw or a bronze file
sample key *options:
    uv run towline sample {{ key }} {{ options }}

# silver and gold of what is new in bronze; --full makes all of it anew
load dataset *options:
    uv run towline load {{ dataset }} {{ options }}

# a gold or silver table (just gold golf_rounds_pace_summary_by_round)
gold table:
    uv run towline query "SELECT * FROM {{ table }} LIMIT 20"

# what was refused, and why: list, show or retry (everything after `quarantine` goes to towline)
quarantine *options:
    uv run towline quarantine {{ options }}

# files of golf rounds, made up, in a directory
golf directory *options:
    uv run python datasets/golf_rounds/generate.py {{ directory }} {{ options }}

# what the main job costs, in milliseconds and S3 requests
bench *options:
    uv run python bench/main_job.py {{ options }}

# how long a file takes from raw/ to the manifest and to its sample
bench-files *options:
    uv run python bench/files.py {{ options }}

# the functions and their layer, as they go to AWS, in .aws-sam/build
sam-build:
    UV_PROJECT_ENVIRONMENT=.venv-sam uv sync --quiet --only-group sam
    PATH="$(.ci/python3.12)/bin:$PATH" .venv-sam/bin/sam build
