"""The exact level surface, region by region, and the proof that nothing of it was missed."""
