"""The origin's side of a submission: records to padded, blinded chunks, evaluations to tokens (3.4 and 3.6)."""
