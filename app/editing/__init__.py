"""What happens between a table on the screen and a proposal, without a screen. Nothing here imports Streamlit.

cells.py     a cell's value <-> the text that a person sees and types
sheet.py     a commit that is open for editing
edits.py     what has been typed so far, by row and column; grid events -> edits
pending.py   edits -> RowChanges, and what is wrong with them
rebase.py    edits carried over to a newer commit
desk.py      one dataset on the screen: sheet, edits, undo, what was sent
remote.py    what is asked of the store: the head, the news, the way of a proposal
submit.py    edits sent as a proposal, and its outcome taken in
"""
