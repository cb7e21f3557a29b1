namespace BackupEngine.Pipelines;

/// <summary>Tasks that succeed or fail together.</summary>
internal static class WorkerGroup
{
    /// <summary>Waits for all tasks; the first that fails makes the others stop, and its error is the one that is thrown.</summary>
    /// <param name="abort">Cancels the tasks.</param>
    /// <param name="tasks">The tasks, running.</param>
    /// <param name="cancellationToken">The caller's own token: when it is what made the tasks stop, the cancellation is thrown.</param>
    public static async Task RunAsync(CancellationTokenSource abort, IReadOnlyList<Task> tasks, CancellationToken cancellationToken)
    {
        var pending = new List<Task>(tasks);
        Task? failed = null;
        while (pending.Count > 0)
        {
            Task finished = await Task.WhenAny(pending).ConfigureAwait(false);
            pending.Remove(finished);
            if (finished.IsCompletedSuccessfully)
                continue;

            // Those that merely noticed the abort are not to blame.
            if (failed is null || (failed.IsCanceled && finished.IsFaulted))
                failed = finished;
            await abort.CancelAsync().ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (failed is not null)
            await failed.ConfigureAwait(false);
    }
}
