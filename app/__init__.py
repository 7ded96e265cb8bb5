"""The editor: a Streamlit app. Only this package imports Streamlit.

serve.py      the process: Streamlit's server, and what is ready before the first tab
main.py       the script, which runs route.py: sets the page up, draws the sidebar, routes
pages/        one file a page: ask the state, call a use case, draw
session.py    the session's state, one dataclass; connecting and loading
sidebar.py    dataset, connection, head; links.py: what the address says
grid.py       the only module that knows the grid component, whose JavaScript is in grid/
panels.py     beside the grid: drafts, pending changes, violations; and the net under every page
news.py, submit_panel.py, bulk*.py, history_views.py    the larger parts of pages
clickable.py  HTML with buttons in it; memo.py: results kept from one run to the next
*markup.py    HTML of values, changes and messages; pure. The css beside it is its look
editing/      what an edit is: pure, without Streamlit, and where the tests are
past/         commits and proposals as they are listed; explore/: pictures. Both pure but for what they read
"""
