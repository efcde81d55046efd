def plant_trials(seed, share):
    return []
