"""The SQL page: statements that read and statements that edit, and what becomes of them."""
