"""A reconstruction after GradStyle (Li et al., AAAI 2024): details that move with the edit, stage by stage."""
