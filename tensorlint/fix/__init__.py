"""Changes to programs: the words rules use for them, where they go in the text, and whether the result may be kept.

| module     | what it does                                                                      |
|------------|-----------------------------------------------------------------------------------|
| `repair`   | what a rule wants changed, in terms of nodes: `append`, `wrap`, `replace`, ...    |
| `imports`  | where a missing import goes                                                       |
| `edits`    | repairs to edits of the text, and edits to a new text                             |
| `safety`   | whether the new program differs from the old one only where it was meant to       |
| `writing`  | a new text onto the disk, whole or not at all                                     |
| `comments` | suppression comments: taken out, put in                                           |
"""
