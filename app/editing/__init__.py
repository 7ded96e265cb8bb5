"""What happens between a table on the screen and a proposal, without a screen. Nothing here imports Streamlit.

the table       sheet     a commit that is open for editing
                cells     a cell's value <-> the text that a person sees and types
                links     how a person and a link name a row
what is typed   gridlog   the list of the grid's events, and the state that they make
                gridsheet that state as edits, by row and column; marks
                edits     what differs from the sheet
                pending   edits -> RowChanges, and what is wrong with them (breaches)
                desk      one dataset on the screen: sheet, log, what was sent
                drafts    all of it on disk
many cells      now, find, patterns, preview                what the grid shows, searched and replaced
                rule, condition, setting, typed, arithmetic set by rule; sentence and wording say it in one line
other people    remote    what is asked of the store: the head, the news
                choices   whose side is taken where edits clash
                rebase    edits carried over to a newer commit
sending         submit    edits sent as a proposal, and its outcome taken in
                since     what was typed while a proposal was under way
                reopen    a proposal that was refused, as edits again
"""
