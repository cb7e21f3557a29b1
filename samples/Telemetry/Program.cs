// One backup and one restore, with everything that the engine measures and traces on the console (docs/telemetry.md):
// dotnet run --project samples/Telemetry -- VOLUME STORE NEW-FILE
using BackupEngine;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

if (args is not [string volumePath, string storePath, string restoredPath])
{
    Console.Error.WriteLine("Usage: Telemetry VOLUME STORE NEW-FILE");
    return 2;
}

// <telemetry>
using TracerProvider traces = Sdk.CreateTracerProviderBuilder().AddSource("BackupEngine").AddConsoleExporter().Build();
using MeterProvider metrics = Sdk.CreateMeterProviderBuilder().AddMeter("BackupEngine").AddConsoleExporter().Build();
// </telemetry>

await using var store = new DirectoryObjectStore(storePath);
await using var repository = await BackupRepository.OpenOrCreateAsync(store);
await using var volume = FileVolume.OpenRead(volumePath);
Backup backup = await repository.BackupAsync(volume, new BackupOptions { VolumeId = "data" });
await using var target = FileVolume.Create(restoredPath, backup.SizeBytes);
await repository.RestoreAsync(backup.Id, target);
return 0;
