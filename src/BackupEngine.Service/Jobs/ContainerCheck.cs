using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.Service.Catalog;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace BackupEngine.Service.Jobs;

/// <summary>
/// Looks, at the start and now and then, whether the container still holds the backups that the catalog lists: others remove some, such as a prune with retention.
/// Those that are gone are in error until they are deleted from the catalog, too, or are there again: the container may only have been out of reach behind an empty one.
/// </summary>
internal sealed partial class ContainerCheck(
    CatalogDatabase database, RepositoryHost repositories, BackupServiceOptions options, TimeProvider time, ILogger<ContainerCheck> logger) : BackgroundService
{
    public const string Gone = "the container does not hold this backup any more";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(TimeSpan.FromHours(options.ContainerCheckHours), time);
        do
        {
            try
            {
                await CheckAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is BackupEngineException or NpgsqlException or SqliteException or DbUpdateException or InvalidOperationException)
            {
                LogFailed(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();

        // The catalog first: what is finished from here on is not asked for.
        List<string> listed = await catalog.Backups.Where(row => row.IsCommitted && row.Status == BackupStates.Available && row.JobId == null)
            .Select(row => row.Id).ToListAsync(cancellationToken);
        List<string> missed = await catalog.Backups.Where(row => row.Status == BackupStates.Error && row.FailReason == Gone).Select(row => row.Id).ToListAsync(cancellationToken);
        if (listed.Count + missed.Count == 0)
        {
            return;
        }

        BackupRepository repository = await repositories.GetAsync(cancellationToken);
        HashSet<string> held = [.. (await repository.ListAsync(cancellationToken: cancellationToken)).Where(backup => backup.Status != BackupStatus.Creating).Select(backup => backup.Id.ToString())];
        foreach (string id in listed.Where(id => !held.Contains(id)))
        {
            if (await IsThereAsync(repository, id, cancellationToken))
            {
                // A listing that does not show a record proves nothing: it may just have been replaced.
                continue;
            }

            if (await MarkGoneAsync(catalog, id, time.Now(), cancellationToken))
            {
                LogGone(id);
            }
        }

        DateTime now = time.Now();
        foreach (string id in missed.Where(held.Contains))
        {
            await catalog.Backups.Where(row => row.Id == id && row.Status == BackupStates.Error && row.FailReason == Gone).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, BackupStates.Available).SetProperty(row => row.FailReason, (string?)null)
                    .SetProperty(row => row.IsCommitted, true).SetProperty(row => row.UpdatedAt, now),
                cancellationToken);
        }
    }

    private static async Task<bool> IsThereAsync(BackupRepository repository, string id, CancellationToken cancellationToken)
    {
        try
        {
            await repository.GetAsync(Guid.Parse(id), cancellationToken);
            return true;
        }
        catch (BackupNotFoundException)
        {
            return false;
        }
        catch (CorruptionException)
        {
            return true;
        }
    }

    /// <summary>Takes note that the container does not hold a backup, unless something else has happened to it meanwhile.</summary>
    public static async Task<bool> MarkGoneAsync(CatalogContext catalog, string id, DateTime now, CancellationToken cancellationToken) =>
        await catalog.Backups.Where(row => row.Id == id && row.IsCommitted && row.Status == BackupStates.Available && row.JobId == null).ExecuteUpdateAsync(
            set =>
            {
                SetGone(set);
                set.SetProperty(row => row.Status, BackupStates.Error).SetProperty(row => row.UpdatedAt, now);
            },
            cancellationToken) == 1;

    /// <summary>What else the row of a backup in error says, whose data is gone.</summary>
    public static void SetGone(UpdateSettersBuilder<BackupRow> set) => set.SetProperty(row => row.FailReason, Gone).SetProperty(row => row.IsCommitted, false);

    [LoggerMessage(1401, LogLevel.Warning, "Backup {BackupId} is not in the container any more: it is in error until it is deleted or there again")]
    private partial void LogGone(string backupId);

    [LoggerMessage(1402, LogLevel.Warning, "The container could not be compared with the catalog; it is tried again")]
    private partial void LogFailed(Exception exception);
}
