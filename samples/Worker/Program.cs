// A service that backs a volume up on a schedule and removes what its rules do not keep:
// dotnet run --project samples/Worker -- --BackupEngine:Directory backups --Schedule:Volume disk.img --Schedule:Interval 01:00:00
using BackupEngine.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Worker;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Services.AddBackupEngine(builder.Configuration.GetSection(BackupEngineOptions.Section));
builder.Services.AddHealthChecks().AddBackupEngine();
builder.Services.AddOptions<ScheduleOptions>().BindConfiguration("Schedule")
    .Validate(schedule => schedule.Volume.Length > 0, "Schedule:Volume is missing: name a disk image or a block device.")
    .Validate(schedule => schedule.Interval > TimeSpan.Zero, "Schedule:Interval must be more than zero.")
    .ValidateOnStart();
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddHostedService<ScheduledBackups>();
await builder.Build().RunAsync();
