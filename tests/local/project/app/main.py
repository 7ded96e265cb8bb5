"""The smallest of editors: it shows where it works."""

import os

import streamlit as st

st.write(os.environ["AWS_ENDPOINT_URL"], os.environ["S3_BUCKET"])
