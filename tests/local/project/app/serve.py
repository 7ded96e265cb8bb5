"""Streamlit's server, and nothing to warm."""

from streamlit.web import cli

cli.main(prog_name="streamlit")
