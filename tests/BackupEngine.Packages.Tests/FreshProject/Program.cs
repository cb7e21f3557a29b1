// What somebody writes who has the packages and nothing else: full, incremental, restore of both, in a directory and in a bucket.
using BackupEngine;
using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.ObjectStores;
using BackupEngine.S3;
using BackupEngine.Volumes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

if (args is not [string directory, string bucket])
    return 2;

await BackUpAndRestoreAsync("directory", "--BackupEngine:Directory=" + Path.Combine(directory, "backups"));
await BackUpAndRestoreAsync("S3", "--BackupEngine:Create=true", (_, _) => new(new S3ObjectStore(S3ObjectStoreOptions.Parse(bucket))));
return 0;

async Task BackUpAndRestoreAsync(string kind, string setting, Func<IServiceProvider, CancellationToken, ValueTask<IObjectStore>>? openStore = null)
{
    HostApplicationBuilder builder = Host.CreateApplicationBuilder(["--BackupEngine:Limits:MaxMemoryBytes=134217728", setting]);
    builder.Logging.ClearProviders();
    builder.Services.AddBackupEngine(builder.Configuration.GetSection(BackupEngineOptions.Section), openStore);
    builder.Services.AddHealthChecks().AddBackupEngine();
    using IHost host = builder.Build();
    await host.StartAsync();
    HealthReport health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
    BackupRepository repository = await host.Services.GetRequiredService<RepositoryHost>().GetAsync();
    var options = new BackupOptions { VolumeId = "disk" };

    string disk = Path.Combine(directory, $"{kind}.img");
    byte[] first = new byte[5_000_000];
    new Random(1).NextBytes(first.AsSpan(1_000_000, 2_000_000));
    await File.WriteAllBytesAsync(disk, first);
    Backup full = await BackUpAsync(options);

    byte[] second = [.. first];
    new Random(2).NextBytes(second.AsSpan(4_000_000, 100_000));
    await File.WriteAllBytesAsync(disk, second);
    Backup incremental = await BackUpAsync(options with { Incremental = true });

    bool same = await IsRestoredAsync(full, first) && await IsRestoredAsync(incremental, second);
    bool less = incremental.ParentId == full.Id && incremental.BytesStored < full.BytesStored / 4;
    Console.WriteLine($"{kind}: {(same ? "identical" : "different")}, {(less ? "incremental" : "full")}, {health.Status}");
    await host.StopAsync();

    async Task<Backup> BackUpAsync(BackupOptions how)
    {
        await using FileVolume volume = FileVolume.OpenRead(disk);
        return await repository.BackupAsync(volume, how);
    }

    async Task<bool> IsRestoredAsync(Backup backup, byte[] expected)
    {
        string path = Path.Combine(directory, $"{kind}-{backup.Id}.img");
        await using (FileVolume target = FileVolume.Create(path, backup.SizeBytes))
            await repository.RestoreAsync(backup.Id, target);
        byte[] restored = await File.ReadAllBytesAsync(path);
        return expected.AsSpan().SequenceEqual(restored);
    }
}
