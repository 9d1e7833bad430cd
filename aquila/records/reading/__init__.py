"""Lists of persons read from files: CSV, spreadsheets and FollowTheMoney, row by row, in bounded memory."""
