"""The editor: a Streamlit app. Only this package imports Streamlit.

main.py        sets the page up, draws the sidebar, routes
pages/         one file a page: ask the state, call a use case, draw
sidebar.py     dataset, connection, head
panels.py      what stands beside the grid: pending changes, violations, the outcome, news
grid.py        the only module that knows the grid widget
markup.py      HTML of values, changes and messages; pure
style.css      the look of that HTML
session.py     the session's state, one dataclass; connecting and loading
editing/       what an edit is: pure, without Streamlit, and where the tests are
"""
