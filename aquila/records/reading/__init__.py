"""Lists of persons read from files: CSV and FollowTheMoney, row by row, in bounded memory."""
