"""How `retrieval/synonyms.json` was made; README.md says from what."""
