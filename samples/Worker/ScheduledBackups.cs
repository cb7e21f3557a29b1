using BackupEngine;
using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.Volumes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Worker;

/// <summary>One backup each interval: the first is full, the others are incremental. A failure is logged, and the next interval tries again.</summary>
internal sealed partial class ScheduledBackups(
    RepositoryHost host, IOptions<ScheduleOptions> options, TimeProvider time, ILogger<ScheduledBackups> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Interval, time);
        do
        {
            try
            {
                await BackUpAsync(options.Value, stoppingToken);
            }
            catch (BackupEngineException e)
            {
                Failed(logger, e, options.Value.Volume);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task BackUpAsync(ScheduleOptions schedule, CancellationToken cancellationToken)
    {
        BackupRepository repository = await host.GetAsync(cancellationToken);
        string volumeId = VolumeIds.FromPath(schedule.Volume).ToString();
        IReadOnlyList<Backup> earlier = await repository.ListAsync(volumeId, cancellationToken);

        await using FileVolume volume = FileVolume.OpenRead(schedule.Volume);
        Backup backup = await repository.BackupAsync(
            volume,
            new BackupOptions { VolumeId = volumeId, Incremental = earlier.Any(one => one.Status == BackupStatus.Available) },
            cancellationToken: cancellationToken);
        PruneReport pruned = await repository.PruneAsync(new PruneOptions { VolumeId = volumeId, KeepDaily = schedule.KeepDaily, KeepLast = 1 }, cancellationToken);
        Done(logger, schedule.Volume, backup.Id, backup.BytesStored, pruned.BackupsRemoved.Count);
    }

    [LoggerMessage(1, LogLevel.Information, "{Volume}: backup {Backup} stored {Bytes} bytes; {Removed} older backups removed")]
    private static partial void Done(ILogger logger, string volume, Guid backup, long bytes, int removed);

    [LoggerMessage(2, LogLevel.Error, "{Volume}: no backup")]
    private static partial void Failed(ILogger logger, Exception error, string volume);
}
