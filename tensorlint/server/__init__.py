"""``tensorlint server``: a language server on standard input and output. Needs the extra ``lsp`` (pygls).

workspace    what the editor has open: lines as the protocol counts them, programs made of documents
places       rows and columns here, lines and code units there
judging      what is found in a text, and what its fixes make of it; knows nothing of the protocol
diagnostics, actions, hover   findings, fixes and documentation in the protocol's words
settings     what the editor was told to want
app          messages in, messages out, and when to judge
"""
