"""What a contract is made of: fields, cross-column checks, text rules, times, and how they are read from JSON.

Pure: standard library and pyarrow. `towline.contract.Contract` puts the pieces together.
"""
