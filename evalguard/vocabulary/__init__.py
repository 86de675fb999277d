"""What names of libraries mean, as tables: a name, its meaning, and a link that proves it. Imports nothing of ours."""
