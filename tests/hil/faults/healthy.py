def healthy_trials(share):
    return []
